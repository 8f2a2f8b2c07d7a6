import Checkpoints
import Foundation
import Layers
import Sampling
import Tensors
import WanModels

/// What a file or folder is, from headers and the tokenizer alone: model, networks, types, parameters, and what is wrong
/// with it.
public struct Inspection: Sendable, Encodable {
  /// The folder or file, as it was given.
  public let path: String
  /// The model, task and VAE of a folder; the kind of a single checkpoint.
  public let summary: String
  /// Every checkpoint that could be opened: transformers, then autoencoder, then text encoder.
  public let networks: [Network]
  /// What keeps the folder from running as a model.
  public let problems: [String]
  /// The command that would use it.
  public let usage: String?
  /// The ``Recipe`` of a distilled model or LoRA by its name, where names or its own configuration tell one.
  public let recipe: String?
  /// What a single file needs beside it to run, and does not have there.
  public let missing: [String]

  /// One checkpoint.
  public struct Network: Sendable, Encodable {
    /// "transformer", "high-noise expert", "text encoder", ...
    public let role: String
    /// Sizes read off the tensors.
    public let description: String
    /// Distinct element types by their safetensors names ("BF16"), sorted.
    public let types: [String]
    /// Of each type, the part of all elements that is stored in it, 0...1.
    public let shares: [String: Double]
    /// Stored tensors, and the elements in all of them.
    public let tensors, parameters: Int
    /// Names and types that are not read; missing, misshapen or unknown tensors.
    public let problems: [String]
  }

  /// Whether nothing is missing, misshapen or unknown.
  public var isComplete: Bool { problems.isEmpty && networks.allSatisfy(\.problems.isEmpty) }

  /// - Parameter searched: folders in which parts that are missing beside a single file may lie.
  /// - Throws: ``ModelError`` when the path is no checkpoint and no model folder at all.
  public init(path: String, searched: [String] = []) throws(ModelError) {
    self.path = path
    if let source = try Self.singleCheckpoint(path) {
      (summary, networks, problems) = ("a single checkpoint", [Network(source)], [])
      let needs = Needs(source, searched: searched)
      (usage, missing) = (Usage.command(for: source, needs), needs.missing)
      recipe = Recipe.told(by: [source.location])?.name
      return
    }
    missing = []
    do {
      let model = try ModelFolder(path: path)
      usage = "wan generate --model \(path) ..."
      recipe = ChosenRecipe(model)?.recipe.name
      summary = Self.summary(of: model)
      networks = Self.networks(of: model)
      problems = Self.tokenizerProblems(of: model)
    } catch {
      let parts = InspectedParts(of: path)
      guard !parts.networks.isEmpty || !parts.problems.isEmpty else { throw error }
      (usage, recipe) = (nil, nil)
      (summary, networks) = ("not a complete model", parts.networks)
      problems = Self.distinct(Self.lines(error) + parts.problems)
    }
  }

  /// The report on what cannot be inspected at all, for readers of JSON.
  public init(path: String, failure: ModelError) {
    self.path = path
    (summary, networks, problems) = ("nothing that is read", [], Self.lines(failure))
    (usage, recipe, missing) = (nil, nil, [])
  }

  /// The checkpoint that a file is, or that a folder with nothing else of a model holds; `nil` for another folder.
  private static func singleCheckpoint(_ path: String) throws(ModelError) -> (any WeightSource)? {
    guard let files = try? FolderListing(path) else { return try file(path) }
    let isModel =
      FolderForm.isModel(files) || files.contains("google") || files.contains("high_noise_model")
      || files.names.contains { $0.hasPrefix("models_t5") || $0.hasPrefix("Wan2.") }
    return isModel ? nil : try? openCheckpoint(path: path)
  }

  private static func file(_ path: String) throws(ModelError) -> any WeightSource {
    if let link = CheckpointError.brokenLink(path) { throw .checkpoint(link.description) }
    guard FileManager.default.fileExists(atPath: path) else {
      do throws(ModelError) { _ = try FolderListing(path) } catch {
        if case .unlistedFolder = error { throw error }
      }
      throw .checkpoint("\(path): there is no such file or folder")
    }
    if FolderListing.isFolder(path) { _ = try FolderListing(path) }
    do {
      return try openCheckpoint(path: path)
    } catch {
      throw .checkpoint(error.description)
    }
  }

  private static func summary(of model: ModelFolder) -> String {
    let task =
      switch model.family.conditioning {
      case .none: "text to video"
      case .channels: "image to video"
      case .firstFrame: "text or image to video"
      }
    let latents = model.latents
    return "\(model.family.name), \(task), \(model.family.hasTwoExperts ? "two experts" : "one transformer"), "
      + "VAE \(latents.time)x\(latents.space)x\(latents.space), z \(latents.channels)"
  }

  private static func networks(of model: ModelFolder) -> [Network] {
    model.transformers.all.map { Network($0.part.source, role: $0.expert.role) } + [
      Network(model.decoder.source, role: "autoencoder"), Network(model.textEncoder.source, role: "text encoder"),
    ]
  }

  /// Why generating would refuse the tokenizer.
  private static func tokenizerProblems(of model: ModelFolder) -> [String] {
    do {
      _ = try model.openTokenizer()
      return []
    } catch {
      return ["\(error)"]
    }
  }

  private static func lines(_ error: ModelError) -> [String] {
    error.description.split(separator: "\n").map(String.init)
  }

  private static func distinct(_ lines: [String]) -> [String] {
    var seen: Set<String> = []
    return lines.filter { seen.insert($0).inserted }
  }
}

extension Expert {
  fileprivate var role: String {
    switch self {
    case .only: "transformer"
    case .high: "high-noise expert"
    case .low: "low-noise expert"
    }
  }
}
