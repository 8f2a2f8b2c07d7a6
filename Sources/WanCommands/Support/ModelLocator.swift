import Foundation

/// Finds the model that travels with the command.
///
/// An installed command has it in `share/swift-wan` beside its folder, a built one in `Models` of the checkout around it:
/// whatever lies around the working folder, the command's own model comes first. Only a command that lies in neither, as
/// one that was built outside of the checkout, looks above the working folder.
///
/// One of the folders above may be one that anybody writes to (`/tmp`): a model counts only if it belongs to who runs the
/// command, to who owns the command, or to root.
struct ModelLocator {
  static let bundledName = "nano-ti2v"

  static func bundled() -> String? { ModelLocator().find() }

  private let executable = Bundle.main.executableURL?.resolvingSymlinksInPath()
  private let workingFolder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)

  private func find() -> String? {
    if let folder = executable?.deletingLastPathComponent() {
      let installed = model(in: folder.deletingLastPathComponent(), "share/swift-wan")
      if let found = installed ?? model(above: folder) { return found }
    }
    return model(above: workingFolder)
  }

  private func model(above folder: URL) -> String? {
    let ancestors = sequence(first: folder) { $0.path == "/" ? nil : $0.deletingLastPathComponent() }.prefix(8)
    return ancestors.lazy.compactMap { model(in: $0, "Models") }.first
  }

  private func model(in folder: URL, _ place: String) -> String? {
    let path = folder.appendingPathComponent("\(place)/\(Self.bundledName)").path
    return FileManager.default.fileExists(atPath: path + "/config.json") && isTrusted(path) ? path : nil
  }

  private func isTrusted(_ path: String) -> Bool {
    guard let owner = owner(of: path) else { return false }
    return owner == 0 || owner == geteuid() || owner == executable.flatMap { self.owner(of: $0.path) }
  }

  private func owner(of path: String) -> UInt32? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.ownerAccountID] as? NSNumber)?.uint32Value
  }
}
