import Foundation

/// A hidden folder beside a target, in which it is made before it gets its name. Being in the same folder, the
/// finished file moves by a rename, which either happens or does not.
struct PartialFolder: Sendable {
  let target: String
  let path: String

  /// Less free space than this cannot end well.
  private static let leastSpace = 1 << 20

  /// - Parameter neededBytes: what the target is sure to take.
  /// - Throws: `cannotWrite`.
  init(target: String, neededBytes: Int) throws(MediaError) {
    let url = URL(fileURLWithPath: target)
    let parent = url.deletingLastPathComponent().path
    func failure(_ reason: String) -> MediaError { .cannotWrite(path: target, reason: reason) }
    guard Self.isFolder(parent) else { throw failure("there is no folder '\(parent)': create it first") }
    guard !Self.isFolder(target) else { throw failure("it is a folder") }
    let space = try? FileManager.default.attributesOfFileSystem(forPath: parent)[.systemFreeSize] as? NSNumber
    if let free = space?.intValue, free < max(neededBytes, Self.leastSpace) {
      throw failure("the disk has \(free >> 20) MiB left, \(max(neededBytes, Self.leastSpace) >> 20) MiB are needed")
    }
    // Short enough for any file system once the rest is added.
    let name = String(String.UnicodeScalarView(url.lastPathComponent.unicodeScalars.prefix(40)))
    path = parent + "/.\(name).\(UUID().uuidString.prefix(8)).partial"
    self.target = target
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    } catch {
      throw failure("its folder '\(parent)' cannot be written to; check its permissions")
    }
  }

  func file(_ name: String) -> String { path + "/" + name }

  /// Puts the folder's file on the disk for good, then under its final name, replacing what was there.
  func publish(_ name: String, as final: String) throws(MediaError) {
    do {
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file(name)))
      try handle.synchronize()
      try handle.close()
    } catch {
      throw .cannotWrite(path: final, reason: "the disk did not take it all: \(error.localizedDescription)")
    }
    try rename(file(name), to: final)
  }

  func remove() {
    try? FileManager.default.removeItem(atPath: path)
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }
}
