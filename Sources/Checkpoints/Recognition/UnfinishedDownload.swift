import Files
import Foundation
import Tensors

/// The traces that downloaders leave of a file that is not all there.
public enum UnfinishedDownload {
  /// What browsers, aria2, git-lfs and the hub's client add to the name of a file until it is whole.
  public static let endings = [
    ".incomplete", ".part", ".partial", ".crdownload", ".aria2", ".download", ".opdownload", ".!ut", ".tmp",
  ]
  private static let advice = "let the downloader finish it, or download it again"

  /// Whether this is the name of a part of a file.
  public static func isName(_ name: String) -> Bool {
    let name = name.lowercased()
    return endings.contains { name.hasSuffix($0) && name.utf8.count > $0.utf8.count }
  }

  /// The name of an unfinished download of a file that a folder lacks: beside it, or where the clients of the hubs work.
  ///
  /// - Parameter names: of everything in the folder.
  public static func trace(of name: String, in folder: String, names: [String]) -> String? {
    if let part = names.first(where: { $0.hasPrefix(name) && isName($0) }) { return part }
    // ModelScope's client keeps files here until they are whole, under their own names.
    let temporary = "._____temp"
    if names.contains(temporary), (try? FolderNames(path: folder.joined(temporary)))?.names.contains(name) == true {
      return "\(temporary)/\(name)"
    }
    return hubTrace(folder)
  }

  /// A part that the hub's client left in the model's folder, which may be two above: it names parts by checksums.
  private static func hubTrace(_ folder: String) -> String? {
    var above = URL(fileURLWithPath: folder)
    var below = ""
    for _ in 0..<3 {
      let work = ".cache/huggingface/download" + below
      if let names = (try? FolderNames(path: above.path.joined(work)))?.names, let part = names.first(where: isName) {
        return "\(work)/\(part)"
      }
      below = "/" + above.lastPathComponent + below
      above.deleteLastPathComponent()
    }
    return nil
  }

  /// Fails on a part of a file, and on a file whose control file says that aria2 is not done with it.
  static func refuse(_ path: String) throws(CheckpointError) {
    if isName(path) { throw CheckpointError(path: path, "this is an unfinished download by its name", advice: advice) }
    if FileManager.default.fileExists(atPath: path + ".aria2") {
      throw CheckpointError(
        path: path, "this is an unfinished download: aria2's '\(path.lastComponent).aria2' lies beside it",
        advice: "let aria2c finish it (the same command again), or download it again")
    }
  }

  /// What to say of a file that is not there while a part of it is.
  static func error(_ path: String) -> CheckpointError? {
    guard let part = endings.first(where: { FileManager.default.fileExists(atPath: path + $0) }) else { return nil }
    return CheckpointError(
      path: path, "the file is an unfinished download: only '\(path.lastComponent)\(part)' is there", advice: advice)
  }
}

extension String {
  /// The name behind the last slash.
  var lastComponent: String {
    split(separator: "/").last.map(String.init) ?? self
  }
}
