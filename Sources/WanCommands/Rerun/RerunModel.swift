import Files
import Foundation
import Hub
import Media
import WanKit

/// The model that a clip was made by, which it names by its family alone.
struct RerunModel {
  /// For `--model`; `nil` for the bundled model.
  let path: String?

  /// Looks for it: the bundled one where the clip may well be its work, then in the hub's cache and `WAN_MODELS`.
  ///
  /// - Throws: `CommandError` where none, or more than one, is found.
  init(of clip: ClipDescription) throws {
    let bundled = ModelLocator.bundled().flatMap { try? ModelFolder(path: $0) }
    if let bundled, bundled.family.name == clip.model, Self.fits(clip, bundled.defaults) {
      path = nil
      return
    }
    let found = Self.known(clip)
    if let first = found.first, found.count == 1 {
      path = first
    } else if found.isEmpty, bundled?.family.name == clip.model {
      path = nil
    } else if found.isEmpty {
      throw CommandError(
        "the clip was made by a model of the family \(clip.model), and none is in the hub's cache or in WAN_MODELS; "
          + "name it with --model, or download it with 'wan pull \(clip.model)'")
    } else {
      throw CommandError(
        "the clip was made by one of these models of the family \(clip.model); name it with --model:\n  "
          + found.joined(separator: "\n  "))
    }
  }

  /// Whether a clip is like those that a model makes: at its rate, and not many times as large.
  private static func fits(_ clip: ClipDescription, _ defaults: GenerationDefaults) -> Bool {
    clip.fps == defaults.framesPerSecond.value
      && clip.size.width * clip.size.height <= 8 * defaults.width * defaults.height
  }

  /// Models of the clip's family; those whose names tell how it was run, or those that tell nothing where nothing did.
  private static func known(_ clip: ClipDescription) -> [String] {
    let places = ModelsReport(cache: LocalHub.cache, folders: ModelOptions.searched).models.filter(\.complete).map(
      \.path)
    return places.filter { place in
      guard let model = try? ModelFolder(path: place), model.family.name == clip.model else { return false }
      guard let teller = clip.recipe?.toldBy, clip.adapters?.contains(where: { $0.path == teller }) != true else {
        return true
      }
      return teller == place || teller.hasPrefix(place + "/")
    }
  }
}
