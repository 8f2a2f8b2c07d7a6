import Checkpoints
import Foundation
import Layers
import Sampling
import Tensors
import WanModels

/// What a file or folder is, from headers alone: model, networks, types, parameters, and what is wrong with it.
public struct Inspection: Sendable, Encodable {
  /// The folder or file, as it was given.
  public let path: String
  /// The model, task and VAE of a folder; the kind of a single checkpoint.
  public let summary: String
  /// Every checkpoint that could be opened: transformers, then autoencoder, then text encoder.
  public let networks: [Network]
  /// What keeps the folder from running as a model.
  public let problems: [String]

  /// One checkpoint.
  public struct Network: Sendable, Encodable {
    /// "transformer", "high-noise expert", "text encoder", ...
    public let role: String
    /// Sizes read off the tensors.
    public let description: String
    /// Distinct element types by their safetensors names ("BF16"), sorted.
    public let types: [String]
    /// Stored tensors, and the elements in all of them.
    public let tensors, parameters: Int
    /// Missing, misshapen or unknown tensors.
    public let problems: [String]
  }

  /// Whether nothing is missing, misshapen or unknown.
  public var isComplete: Bool { problems.isEmpty && networks.allSatisfy(\.problems.isEmpty) }

  /// - Throws: ``ModelError`` when the path is no checkpoint and no model folder at all.
  public init(path: String) throws(ModelError) {
    self.path = path
    if !Self.isModelFolder(path), let source = try Self.singleCheckpoint(path) {
      (summary, networks, problems) = ("a single checkpoint", [Network(source)], [])
      return
    }
    do {
      let model = try ModelFolder(path: path)
      summary = Self.summary(of: model)
      networks = Self.networks(of: model)
      problems = []
    } catch {
      let parts = try Self.parts(of: path, after: error)
      (summary, networks, problems) = (
        "not a complete model", parts, error.description.split(separator: "\n").map(String.init)
      )
    }
  }

  /// The checkpoint that a file is, or that a folder with nothing else of a model holds; `nil` for another folder.
  private static func singleCheckpoint(_ path: String) throws(ModelError) -> (any WeightSource)? {
    guard FileManager.default.fileExists(atPath: path) else {
      throw .checkpoint("\(path): there is no such file or folder")
    }
    let isFolder = (try? FolderListing(path)) != nil
    do {
      return try openCheckpoint(path: path)
    } catch {
      if isFolder { return nil }
      throw .checkpoint(error.description)
    }
  }

  private static func isModelFolder(_ path: String) -> Bool {
    guard let files = try? FolderListing(path) else { return false }
    return files.contains("google") || files.contains("high_noise_model")
      || files.names.contains { $0.hasPrefix("models_t5") || $0.hasPrefix("Wan2.") }
  }

  private static func summary(of model: ModelFolder) -> String {
    let task =
      switch model.family.conditioning {
      case .none: "text to video"
      case .channels: "image to video"
      case .firstFrame: "text or image to video"
      }
    let stride = model.autoencoder.configuration.stride
    return "\(model.family.name), \(task), \(model.family.hasTwoExperts ? "two experts" : "one transformer"), "
      + "VAE \(stride.time)x\(stride.space)x\(stride.space), z \(model.latentChannels)"
  }

  private static func networks(of model: ModelFolder) -> [Network] {
    let experts = Expert.allCases.compactMap { expert in
      model.transformers[expert].map { Network($0.source, role: expert.role) }
    }
    return experts + [
      Network(model.autoencoder.source, role: "autoencoder"), Network(model.textEncoder.source, role: "text encoder"),
    ]
  }

  /// The checkpoints that can be found in a folder that is not a whole model.
  private static func parts(of path: String, after error: ModelError) throws(ModelError) -> [Network] {
    guard let files = try? FolderListing(path) else { throw error }
    let candidates = files.names.filter { name in
      [".safetensors", ".pth", ".index.json"].contains { name.hasSuffix($0) }
    }
    let folders = ["high_noise_model", "low_noise_model"].filter(files.contains)
    let parts = (folders + candidates).compactMap { name in
      (try? openCheckpoint(path: path + "/" + name)).map { Network($0, file: name) }
    }
    guard !parts.isEmpty else { throw error }
    return parts
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

extension Inspection.Network {
  init(_ source: any WeightSource, role: String? = nil, file: String? = nil) {
    let descriptors = source.names.compactMap(source.descriptor)
    let kind = Inspection.Kind(source)
    self.role = role ?? (file.map { "\($0), " } ?? "") + kind.name
    description = kind.sizes
    types = Set(descriptors.map(\.dtype.rawValue)).sorted()
    tensors = source.names.count
    parameters = descriptors.reduce(0) { $0 + $1.shape.count }
    problems = kind.problems
  }
}

extension Inspection {
  /// Which network a checkpoint holds, told by a tensor that only that network has.
  struct Kind {
    let name, sizes: String
    let problems: [String]

    init(_ source: any WeightSource) {
      do {
        if source.descriptor("patch_embedding.weight") != nil {
          self = try Self.transformer(source)
        } else if source.descriptor("token_embedding.weight") != nil {
          self = try Self.textEncoder(source)
        } else if source.descriptor("encoder.conv1.weight") != nil {
          self = try Self.autoencoder(source)
        } else {
          self.init(name: "unknown", sizes: "no network of Wan2.2 by its tensors' names", problems: [])
        }
      } catch {
        self.init(name: "damaged network", sizes: "sizes cannot be read", problems: [error.description])
      }
    }

    private init(name: String, sizes: String, problems: [String]) {
      (self.name, self.sizes, self.problems) = (name, sizes, problems)
    }

    private static func transformer(_ source: any WeightSource) throws(WeightError) -> Kind {
      // Heads are not told by tensors; any divisor serves to check names and shapes.
      let c = try TransformerConfiguration(reading: source, facts: .init(heads: 1))
      return Kind(
        name: "transformer",
        sizes:
          "dim \(c.dimension), ffn \(c.feedForward), \(c.layers) layers, \(c.inputChannels) to \(c.outputChannels) channels",
        problems: check(source) { _ = WanTransformer($0, c) })
    }

    private static func textEncoder(_ source: any WeightSource) throws(WeightError) -> Kind {
      let c = try TextEncoderConfiguration(reading: source)
      return Kind(
        name: "text encoder",
        sizes:
          "vocabulary \(c.vocabulary), dim \(c.dimension), ffn \(c.feedForward), \(c.heads) heads, \(c.layers) layers",
        problems: check(source) { _ = UMT5Encoder($0, c) })
    }

    private static func autoencoder(_ source: any WeightSource) throws(WeightError) -> Kind {
      let c = try VAEConfiguration(reading: source)
      return Kind(
        name: "autoencoder",
        sizes: "\(c.hasShortcuts ? "Wan2.2" : "Wan2.1") type, \(c.stride.time)x\(c.stride.space)x\(c.stride.space), "
          + "z \(c.latentChannels), widths \(c.encoderWidth) and \(c.decoderWidth)",
        problems: check(source) { _ = WanVAE($0, c) })
    }

    private static func check(_ source: any WeightSource, _ build: (Weights) -> Void) -> [String] {
      let weights = Weights(source, backend: ReferenceBackend(), precision: .f32, survey: true)
      build(weights)
      do {
        try weights.finish()
        return []
      } catch {
        return error.description.split(separator: "\n").map(String.init)
      }
    }
  }
}
