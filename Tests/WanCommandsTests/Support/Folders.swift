import Foundation
import TestSupport

/// Where models and pictures for the tests lie.
enum Folders {
  static let repository = URL(fileURLWithPath: Golden.bundledFolder).deletingLastPathComponent()
    .deletingLastPathComponent().path
  static let nano = repository + "/Models/nano-ti2v"
  static let picture = nano + "/first_frame.png"
  static func golden(_ name: String) -> String { Golden.bundledFolder + "/" + name }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }
}

extension TemporaryFolder {
  func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Golden.data(path(name))) }

  @discardableResult
  func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    return path(name)
  }

  /// A model folder of links to another's files, but for those that are left out.
  @discardableResult
  func link(model: String, as name: String, without missing: Set<String> = []) throws -> String {
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    for file in try FileManager.default.contentsOfDirectory(atPath: model) where !missing.contains(file) {
      try FileManager.default.createSymbolicLink(
        atPath: path(name) + "/" + file, withDestinationPath: model + "/" + file)
    }
    return path(name)
  }
}
