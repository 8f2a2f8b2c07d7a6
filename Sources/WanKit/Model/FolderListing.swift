import Foundation

/// The names in a folder, listed once.
struct FolderListing {
  let path: String
  let names: [String]

  init(_ path: String) throws(ModelError) {
    guard FileManager.default.fileExists(atPath: path) else { throw .noFolder(path) }
    self.path = path
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      throw .badConfiguration(file: path, reason: "is not a folder that can be listed")
    }
  }

  func contains(_ name: String) -> Bool { names.contains(name) }

  /// The path of a checkpoint by any of its published names, as .pth or in safetensors.
  func checkpoint(named stems: [String], what: String) throws(ModelError) -> String {
    for stem in stems {
      for ending in [".safetensors", ".pth", ".safetensors.index.json"] where contains(stem + ending) {
        return path + "/" + stem + ending
      }
    }
    throw .missingFile(
      folder: path, wanted: "\(what) (\(stems[0]).pth or .safetensors)", advice: "copy it from the published checkpoint"
    )
  }
}
