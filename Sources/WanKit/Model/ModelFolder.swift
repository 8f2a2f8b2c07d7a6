public import Layers
public import Prompts
import Sampling
import Tensors
public import Tokenization
public import WanModels

/// A model whose every file has been found and whose every tensor has been checked by name and shape: a folder in the
/// layout of Wan-AI, diffusers or ComfyUI, or single files.
///
/// Opening reads headers and configurations, never weights.
public struct ModelFolder: Sendable {
  /// The folder, as it was given; without one, the file of a transformer.
  public let path: String
  /// What config.json's `model_type` says the model is.
  public let family: ModelFamily
  /// The family's defaults, under the folder's own generation_config.json where it has one.
  public let defaults: GenerationDefaults
  /// The words of cinematography that its prompts may have: the folder's own, or the published ones.
  public let vocabulary: CinematographyVocabulary
  /// The single transformer, or both experts.
  public let transformers: Transformers
  /// What turns latents into frames: the VAE that the family prefers among those the folder holds, or a tiny autoencoder.
  public let decoder: LatentDecoder
  /// The UMT5 encoder, of the folder's .safetensors or .pth.
  public let textEncoder: NetworkPart<UMT5Encoder>
  /// The folder that holds tokenizer.json or spiece.model, one of these, or a file of a text encoder with one inside.
  public let tokenizerFolder: String
  /// Timestep / 1000 from which on the high-noise expert runs: the folder's own, or the family's.
  public let boundary: Double?
  /// The flow shift of diffusers' scheduler_config.json, where the folder has one.
  public let schedulerShift: Double?
  /// The parts that did not lie where the model's layout has them, and the files that they were taken from.
  public let foundParts: [FoundPart]

  /// Where a VAE may lie that is needed for pictures alone.
  private let files: ModelFiles
  private let searched: [String]
  /// The tokenizer, where it stays open.
  private var tokenizer: UnigramTokenizer?

  /// The VAE; `nil` where a tiny autoencoder decodes: then ``imageEncoder()`` opens one when a picture needs it.
  public var autoencoder: Autoencoder? { if case .vae(let autoencoder) = decoder { autoencoder } else { nil } }

  /// How latents lie over a clip.
  public var latents: LatentGeometry { decoder.latents }

  /// Latent channels that are drawn, denoised and decoded.
  public var latentChannels: Int { latents.channels }

  /// The factors that a clip's width and height must divide by: the VAE's stride times the patch.
  public var sizeMultiple: Int { latents.space * TransformerConfiguration.patch.height }

  /// Rows that prompts are padded to and truncated at.
  public var textLength: Int { transformers.configuration.textLength }

  /// A part of a model and the file that it was taken from.
  public struct FoundPart: Sendable, Hashable, Codable {
    /// "high-noise expert", "autoencoder", "tokenizer", ...
    public let part: String
    /// The file, or the folder of one.
    public let path: String
    /// Whether the request names it; otherwise it was found by what it holds.
    public let isNamed: Bool
  }

  /// Opens a model's folder, whole or with other files in the place of some of its parts.
  ///
  /// - Parameters:
  ///   - path: a folder in the layout of Wan-AI, diffusers or ComfyUI, or a transformer's file; `nil` where the parts
  ///     name the transformers.
  ///   - parts: what replaces parts, and where parts that are missing are looked for.
  /// - Throws: ``ModelError``, naming the file and, for tensors, each one that is missing, misshapen or unknown.
  public init(path: String?, parts: PartPaths = PartPaths()) throws(ModelError) {
    var files = try ModelFiles(path: path, parts: parts)
    self.path = files.path
    let opened = try Self.transformers(files)
    (transformers, family) = (opened.transformers, opened.family)
    try files.completeLayout(family)
    try files.complete(for: transformers.configuration, in: parts.searched)
    decoder = try Self.decoder(files, family: family, of: transformers.configuration)
    textEncoder = try Self.textEncoder(files)
    tokenizerFolder = try Self.tokenizer(files)
    defaults = try Self.defaults(family: family, folders: files.defaultsFolders)
    vocabulary = try CinematographyVocabulary(folders: files.defaultsFolders)
    schedulerShift = files.settings?.shift
    boundary = family.hasTwoExperts ? files.settings?.boundary ?? defaults.own.boundary ?? family.boundary : nil
    foundParts = files.found
    (self.files, searched) = (files, parts.searched)
    try checkAgreement()
  }

  /// The networks must fit each other: channels, text width, and both experts alike.
  private func checkAgreement() throws(ModelError) {
    if case .experts(let high, let low) = transformers, high.configuration != low.configuration {
      throw .inconsistent(folder: path, reason: "the two experts differ in size; do they belong to one model?")
    }
    for (expert, part) in transformers.all {
      let (c, z) = (part.configuration, latentChannels)
      let condition = family.conditioning == .channels ? latents.time + z : 0
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
  }
}

extension ModelFolder {
  /// The tokenizer, read whole; the text encoder has a row for each of its tokens.
  public func openTokenizer() throws -> UnigramTokenizer {
    if let tokenizer { return tokenizer }
    let tokenizer = try TokenizerPlace.open(tokenizerFolder)
    try textEncoder.check(token: tokenizer.vocabularySize - 1, tokenizerFolder: tokenizerFolder)
    return tokenizer
  }

  /// The same model with its tokenizer open, for many plans: reading it takes longer than cutting a prompt.
  ///
  /// - Throws: as ``openTokenizer()``.
  public func keepingTokenizer() throws -> ModelFolder {
    var model = self
    model.tokenizer = try openTokenizer()
    return model
  }

  /// The half of the VAE that pictures need.
  ///
  /// Where a tiny autoencoder decodes, the VAE is looked for and opened here: in its place in the layout, beside the
  /// model's files, and in the folders that were given to search.
  ///
  /// - Throws: ``ModelError``, where there is none, it is damaged, or its latents are not the model's.
  public func imageEncoder() throws(ModelError) -> NetworkPart<VAEEncoder> {
    if let autoencoder { return autoencoder.encoder }
    var files = files
    files.decodesTiny = false
    try files.completeLayout(family)
    try files.complete(for: transformers.configuration, in: searched)
    guard files.autoencoder != nil else { throw files.noImageEncoder(family) }
    let autoencoder = try Self.autoencoder(files, family: family)
    guard autoencoder.configuration.latents == latents else {
      throw .inconsistent(
        folder: autoencoder.source.location,
        reason: "this autoencoder has \(autoencoder.configuration.latentChannels) latent channels, the model "
          + "\(latentChannels); do the files belong to one model?")
    }
    return autoencoder.encoder
  }

  /// The tiny autoencoder that is to make previews: the one asked for, or the one that decodes; `nil` for neither.
  ///
  /// - Throws: ``ModelError``, where there is none, it is damaged, or it is for other latents.
  func tinyDecoder(_ wanted: PreviewChoice.Tiny?) throws(ModelError) -> NetworkPart<TinyDecoder>? {
    if case .tiny(let part) = decoder, wanted == nil || wanted == .found { return part }
    guard let wanted else { return nil }
    var files = files
    files.decodesTiny = true
    if case .file(let path) = wanted { files.tinyAutoencoder = .init(path, .named) }
    try files.complete(for: transformers.configuration, in: searched)
    guard case .tiny(let part) = try Self.decoder(files, family: family, of: transformers.configuration) else {
      return nil
    }
    return part
  }

  /// Every file that its networks are read from.
  public var checkpointFiles: [String] {
    let sources = transformers.all.map(\.part.source) + [decoder.source, textEncoder.source]
    return sources.flatMap(\.files)
  }
}
