import Foundation

/// Finds the model that travels with the source: `Models/nano-ti2v` in a folder above the executable or the working
/// folder, or `share/swift-wan/nano-ti2v` beside the executable's folder.
struct ModelLocator {
  static let bundledName = "nano-ti2v"

  static func bundled() -> String? {
    let executable = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
    let starts = [executable, URL(fileURLWithPath: FileManager.default.currentDirectoryPath)].compactMap { $0 }
    return starts.lazy.flatMap(ancestors).flatMap(candidates).first(where: isModel)
  }

  private static func ancestors(_ folder: URL) -> [URL] {
    sequence(first: folder) { $0.path == "/" ? nil : $0.deletingLastPathComponent() }.prefix(8).map { $0 }
  }

  private static func candidates(_ folder: URL) -> [String] {
    ["Models", "share/swift-wan"].map { folder.appendingPathComponent("\($0)/\(bundledName)").path }
  }

  private static func isModel(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/config.json")
  }
}
