import ArgumentParser
import Files
import Foundation
import Hub
import WanKit

/// A model on the hub, as it stands on the command line: `OWNER/NAME`, or a short name of a published one.
struct HubModelName: ExpressibleByArgument {
  let name: RepositoryName

  init?(argument: String) {
    guard let name = PublishedModels.name(argument) else { return nil }
    self.name = name
  }

  static let help = "ti2v-5b, t2v-a14b, i2v-a14b, or OWNER/NAME as on the hub"
}

/// The models that Wan-AI publishes, by the names of their families.
enum PublishedModels {
  /// The short names in the order of ``WanKit/ModelFamily``, and the models that they stand for.
  static let all = [
    ("t2v-a14b", "Wan-AI/Wan2.2-T2V-A14B"), ("i2v-a14b", "Wan-AI/Wan2.2-I2V-A14B"),
    ("ti2v-5b", "Wan-AI/Wan2.2-TI2V-5B"),
  ]

  /// The model that a short name, in either case, or `OWNER/NAME` means; `nil` for what is neither.
  static func name(_ text: String) -> RepositoryName? {
    if let published = all.first(where: { $0.0 == text.lowercased() }) { return RepositoryName(published.1) }
    return RepositoryName(text).flatMap { $0.hasOwner ? $0 : nil }
  }

  /// The shortest words that a person may use for a model.
  static func word(for name: RepositoryName) -> String {
    all.first { $0.1 == name.description }?.0 ?? name.description
  }

  /// What to pull for a name under which there is nothing: a model, its short name, or its name without an owner.
  static func word(for unknown: String) -> String? {
    if let name = name(unknown) { return word(for: name) }
    return all.first { $0.1.hasSuffix("/" + unknown) }?.0
  }
}

/// The hub's cache of this machine.
enum LocalHub {
  static var cache: HubCache { HubCache(environment: ProcessInfo.processInfo.environment) }

  /// The folder of a model that `--model` names and that lies in no folder of this name.
  ///
  /// - Returns: the path itself where something bears the name, or where it is no model's name.
  /// - Throws: `CommandError` for a model that is not in the cache.
  static func folder(for model: String) throws -> String {
    if FileStatus(path: model, followingLinks: false) != nil { return model }
    guard let name = PublishedModels.name(model) else {
      guard let word = PublishedModels.word(for: model) else { return model }
      throw CommandError("\(model): there is no such model folder; 'wan pull \(word)' downloads it")
    }
    let cached = cache.model(name)
    guard let folder = cached?.mainSnapshot else {
      if cached == nil, looksLikePath(model) { return model }
      let state = cached == nil ? "not in the hub's cache (\(cache.path)) either" : "in the hub's cache only in part"
      throw CommandError(
        "\(model): there is no such model folder, and '\(name)' is \(state); 'wan pull \(PublishedModels.word(for: name))' "
          + (cached == nil ? "downloads it" : "goes on with it"))
    }
    return folder
  }

  /// A file's name, or something in a folder that is here: what is wrong with it is said better as of a path.
  private static func looksLikePath(_ text: String) -> Bool {
    let endings = [".safetensors", ".gguf", ".pth", ".pt", ".ckpt", ".json", ".bin"]
    let isInFolder = text.utf8.contains(UInt8(ascii: "/")) && FileStatus(path: Paths.folder(of: text)) != nil
    return isInFolder || endings.contains { text.lowercased().hasSuffix($0) }
  }

  /// What to do about a model of the cache that cannot be opened; `nil` where nothing of it is missing.
  static func advice(on folder: String) -> String? {
    guard let model = cache.models.first(where: { $0.mainSnapshot == folder }), !model.isComplete else { return nil }
    return "it was pulled in part: 'wan pull \(PublishedModels.word(for: model.name))' goes on"
  }
}
