import Checkpoints
import Foundation
import Layers
public import Sampling
public import Tensors
public import WanModels

/// A model folder whose every file has been found and whose every tensor has been checked by name and shape.
///
/// Opening reads headers and configurations, never weights.
public struct ModelFolder: Sendable {
  /// The folder, as it was given.
  public let path: String
  /// What config.json's `model_type` says the model is.
  public let family: ModelFamily
  /// The family's defaults, under the folder's own generation_config.json where it has one.
  public let defaults: GenerationDefaults
  /// Either `.only`, or `.high` and `.low`.
  public let transformers: [Expert: TransformerPart]
  /// The VAE that the family prefers among those the folder holds.
  public let autoencoder: AutoencoderPart
  /// The UMT5 encoder, of the folder's .safetensors or .pth.
  public let textEncoder: TextEncoderPart
  /// The folder that holds tokenizer.json or spiece.model.
  public let tokenizerFolder: String

  /// A checkpoint and the sizes read off it.
  public struct TransformerPart: Sendable {
    /// Opened and mapped; its weights are read when the transformer is made.
    public let source: any WeightSource
    /// Sizes read off the tensors, with heads and epsilon from config.json.
    public let configuration: TransformerConfiguration
  }

  /// The VAE's checkpoint and the structure read off it.
  public struct AutoencoderPart: Sendable {
    /// Opened and mapped; its weights are read when the autoencoder is made.
    public let source: any WeightSource
    /// Stages, widths and channels, all told by the tensors.
    public let configuration: VAEConfiguration
  }

  /// The prompt encoder's checkpoint and the sizes read off it.
  public struct TextEncoderPart: Sendable {
    /// Opened and mapped; its weights are read when the encoder is made.
    public let source: any WeightSource
    /// Vocabulary, widths, layers and heads, all told by the tensors.
    public let configuration: TextEncoderConfiguration
  }

  /// Latent channels that are drawn, denoised and decoded.
  public var latentChannels: Int { autoencoder.configuration.latentChannels }

  /// The factors that a clip's width and height must divide by: the VAE's stride times the patch.
  public var sizeMultiple: Int { autoencoder.configuration.stride.space * TransformerConfiguration.patch.height }

  /// Rows that prompts are padded to and truncated at.
  public var textLength: Int { transformers.values.first?.configuration.textLength ?? 512 }

  /// Opens the official layout: a single transformer at the root or two experts in folders of their own.
  ///
  /// - Throws: ``ModelError``, naming the file and, for tensors, each one that is missing, misshapen or unknown.
  public init(path: String) throws(ModelError) {
    let files = try FolderListing(path)
    self.path = path
    let folders = try Self.transformerFolders(files)
    let parts = try Self.transformers(folders)
    transformers = parts.parts
    family = try Self.family(modelType: parts.modelType, experts: parts.parts, folder: path)
    autoencoder = try Self.autoencoder(files, family: family)
    textEncoder = try Self.textEncoder(files)
    tokenizerFolder = try Self.tokenizer(files)
    defaults = try Self.defaults(family: family, folders: folders.map(\.path))
    try checkAgreement()
  }

  private static func transformerFolders(_ files: FolderListing) throws(ModelError) -> [(expert: Expert, path: String)]
  {
    let high = files.contains("high_noise_model"), low = files.contains("low_noise_model")
    if high && low {
      return [(.high, files.path + "/high_noise_model"), (.low, files.path + "/low_noise_model")]
    }
    if high || low {
      throw .missingFile(
        folder: files.path, wanted: high ? "low_noise_model/" : "high_noise_model/",
        advice: "an A14B model needs both experts")
    }
    guard files.contains("config.json") else { throw .notAModel(folder: files.path, found: files.names) }
    return [(.only, files.path)]
  }

  private static func transformers(
    _ folders: [(expert: Expert, path: String)]
  ) throws(ModelError) -> (parts: [Expert: TransformerPart], modelType: String?) {
    var parts: [Expert: TransformerPart] = [:]
    var modelType: String?
    for (expert, path) in folders {
      let file = try ConfigurationFile(path: path + "/config.json")
      modelType = try file.string("model_type") ?? modelType
      let source = try open(path)
      let facts = try TransformerConfiguration.Facts(file)
      let configuration = try checking { () throws(WeightError) in
        let configuration = try TransformerConfiguration(reading: source, facts: facts)
        try survey(source) { _ = WanTransformer($0, configuration) }
        return configuration
      }
      parts[expert] = TransformerPart(source: source, configuration: configuration)
    }
    return (parts, modelType)
  }

  private static func family(
    modelType: String?, experts: [Expert: TransformerPart], folder: String
  ) throws(ModelError) -> ModelFamily {
    guard let modelType, let family = ModelFamily.all.first(where: { $0.modelType == modelType }) else {
      let known = ModelFamily.all.map(\.modelType).joined(separator: ", ")
      throw .inconsistent(
        folder: folder, reason: "config.json says model_type '\(modelType?.prefix(40) ?? "")', known are \(known)")
    }
    guard family.hasTwoExperts == (experts.count == 2) else {
      throw .inconsistent(
        folder: folder,
        reason: "model_type '\(modelType)' has \(family.hasTwoExperts ? "two experts" : "one transformer"), "
          + "the folder has \(experts.count)")
    }
    return family
  }

  private static func autoencoder(_ files: FolderListing, family: ModelFamily) throws(ModelError) -> AutoencoderPart {
    let source = try open(try files.checkpoint(named: family.autoencoderNames, what: "the autoencoder"))
    let configuration = try checking { () throws(WeightError) in
      let configuration = try VAEConfiguration(reading: source)
      try survey(source) { _ = WanVAE($0, configuration) }
      return configuration
    }
    return AutoencoderPart(source: source, configuration: configuration)
  }

  private static func textEncoder(_ files: FolderListing) throws(ModelError) -> TextEncoderPart {
    let names = ["models_t5_umt5-xxl-enc-bf16", "models_t5_umt5-xxl-enc"]
    let source = try open(try files.checkpoint(named: names, what: "the text encoder"))
    let configuration = try checking { () throws(WeightError) in
      let configuration = try TextEncoderConfiguration(reading: source)
      try survey(source) { _ = UMT5Encoder($0, configuration) }
      return configuration
    }
    return TextEncoderPart(source: source, configuration: configuration)
  }

  private static func tokenizer(_ files: FolderListing) throws(ModelError) -> String {
    let folder = files.path + "/google/umt5-xxl"
    guard let found = try? FolderListing(folder), found.contains("tokenizer.json") || found.contains("spiece.model")
    else {
      throw .missingFile(
        folder: files.path, wanted: "google/umt5-xxl/tokenizer.json (or spiece.model)",
        advice: "copy the tokenizer folder of the published checkpoint")
    }
    return folder
  }

  private static func defaults(family: ModelFamily, folders: [String]) throws(ModelError) -> GenerationDefaults {
    for folder in folders where FileManager.default.fileExists(atPath: folder + "/generation_config.json") {
      return try family.defaults.overridden(by: ConfigurationFile(path: folder + "/generation_config.json"))
    }
    return family.defaults
  }

  /// The networks must fit each other: channels, text width, and both experts alike.
  private func checkAgreement() throws(ModelError) {
    for (expert, part) in transformers {
      let c = part.configuration
      let z = latentChannels
      let condition = family.conditioning == .channels ? autoencoder.configuration.stride.time + z : 0
      guard c.outputChannels == z, c.inputChannels == z + condition else {
        throw .inconsistent(
          folder: path,
          reason: "the \(expert.rawValue) transformer takes \(c.inputChannels) and gives \(c.outputChannels) latent "
            + "channels, the autoencoder has \(z); do the files belong to one model?")
      }
      guard c.textDimension == textEncoder.configuration.dimension else {
        throw .inconsistent(
          folder: path,
          reason: "the \(expert.rawValue) transformer reads prompts of width \(c.textDimension), the text encoder "
            + "writes \(textEncoder.configuration.dimension)")
      }
    }
    if let high = transformers[.high], let low = transformers[.low], high.configuration != low.configuration {
      throw .inconsistent(folder: path, reason: "the two experts differ in size; do they belong to one model?")
    }
  }

  private static func open(_ path: String) throws(ModelError) -> any WeightSource {
    do {
      return try openCheckpoint(path: path)
    } catch {
      throw .checkpoint(error.description)
    }
  }

  private static func checking<R>(_ body: () throws(WeightError) -> R) throws(ModelError) -> R {
    do {
      return try body()
    } catch {
      throw .checkpoint(error.description)
    }
  }

  private static func survey(_ source: any WeightSource, _ build: (Weights) -> Void) throws(WeightError) {
    let weights = Weights(source, backend: ReferenceBackend(), precision: .f32, survey: true)
    build(weights)
    try weights.finish()
  }
}

extension ModelFolder {
  /// Every file that its networks are read from.
  public var checkpointFiles: [String] {
    let sources = transformers.values.map(\.source) + [autoencoder.source, textEncoder.source]
    return sources.flatMap(\.files)
  }
}
