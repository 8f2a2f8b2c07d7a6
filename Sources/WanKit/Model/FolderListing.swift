import Checkpoints
import Files
import Foundation
import Tensors

/// The names in a folder, listed once.
struct FolderListing {
  let path: String
  let names: [String]
  /// Names that are not UTF-8, made legible; no file of a model has such a name.
  let illegible: [String]

  init(_ path: String) throws(ModelError) {
    self.path = path
    do throws(FileError) {
      let listing = try FolderNames(path: path)
      (names, illegible) = (listing.names, listing.illegible)
    } catch {
      throw Self.unlisted(path, error)
    }
  }

  func contains(_ name: String) -> Bool { names.contains(name) }

  /// The listing of a folder in this one; `nil` where there is none.
  func child(_ name: String) -> FolderListing? {
    let path = path + "/" + name
    return contains(name) && Self.isFolder(path) ? try? FolderListing(path) : nil
  }

  /// What people put into a folder, without what systems leave behind: `.DS_Store`, `._x`, `__MACOSX`, `.cache`.
  var visible: [String] {
    names.filter { !$0.hasPrefix(".") && !["__MACOSX", "Thumbs.db", "desktop.ini"].contains($0) }
  }

  /// What to show of a folder in which nothing was found.
  var found: [String] {
    (visible.isEmpty ? names : visible) + illegible.map { "\($0) (which is not UTF-8: rename it)" }
  }

  /// The path of a checkpoint by any of its published names, as .pth or in safetensors.
  func checkpoint(named stems: [String], what: String) throws(ModelError) -> String {
    let endings = [".safetensors", ".pth", ".safetensors.index.json"]
    for stem in stems {
      for ending in endings where contains(stem + ending) {
        return path + "/" + stem + ending
      }
    }
    throw missing(
      "\(what) (\(stems[0]).pth or .safetensors)", asAnyOf: stems.flatMap { stem in endings.map { stem + $0 } },
      advice: "copy it from the published checkpoint")
  }

  /// The error of a file or folder that is not here, with what stands in its place where something does.
  ///
  /// - Parameter candidates: the names that would do.
  func missing(_ wanted: String, asAnyOf candidates: [String], advice: String) -> ModelError {
    ModelError.missingFile(folder: path, wanted: wanted, advice: stand(in: candidates) ?? advice)
  }

  /// What is here in place of a name: it in another case, a part of its download, or macOS's companion of it.
  private func stand(in candidates: [String]) -> String? {
    for name in candidates {
      if let other = names.first(where: { $0 != name && $0.lowercased() == name.lowercased() }) {
        return "'\(other)' is here, and names are told apart by case: rename it to '\(name)'"
      }
      if let part = UnfinishedDownload.trace(of: name, in: path, names: names) {
        return "'\(part)' is an unfinished download: let the downloader finish it, or download the file again"
      }
      if let copy = names.first(where: { Self.isCopy($0, of: name) }) {
        return "'\(copy)' is here, as a downloader or editor renamed it: rename it to '\(name)'"
      }
      if contains("._" + name) {
        return "'._\(name)' is only what macOS keeps beside it: copy '\(name)' too"
      }
      if let archive = names.first(where: { [".zip", ".gz", ".7z", ".tar", ".rar"].map { name + $0 }.contains($0) }) {
        return "'\(archive)' must be unpacked first"
      }
    }
    return nil
  }

  /// `config (1).json`, `config.json.txt`, `config.json?download=true`.
  private static func isCopy(_ copy: String, of name: String) -> Bool {
    if copy == name + ".txt" || copy == name + ".json" || copy.hasPrefix(name + "?") { return true }
    guard let dot = name.lastIndex(of: "."), copy.hasPrefix(name[..<dot]), copy.hasSuffix(name[dot...]) else {
      return false
    }
    let middle = copy.dropFirst(name[..<dot].count).dropLast(name[dot...].count).filter { $0 != " " }
    return middle.first == "(" && middle.last == ")" && middle.dropFirst().dropLast().allSatisfy(\.isNumber)
      || ["-copy", "_copy", "copy"].contains(middle.lowercased())
  }

  private static func unlisted(_ path: String, _ error: FileError) -> ModelError {
    if let link = CheckpointError.brokenLink(path) { return .checkpoint(link.description) }
    guard FileManager.default.fileExists(atPath: path) else {
      return path.isEmpty || error.reason == "No such file or directory"
        ? .noFolder(path) : .unlistedFolder(path, reason: error.reason)
    }
    return isFolder(path)
      ? .unlistedFolder(path, reason: error.reason) : .fileForFolder(path, reason: CheckpointRecognition.ofFile(path))
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }
}
