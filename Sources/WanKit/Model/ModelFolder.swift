public import Layers
import Sampling
import Tensors
import Tokenization
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
  /// The single transformer, or both experts.
  public let transformers: Transformers
  /// The VAE that the family prefers among those the folder holds.
  public let autoencoder: Autoencoder
  /// The UMT5 encoder, of the folder's .safetensors or .pth.
  public let textEncoder: NetworkPart<UMT5Encoder>
  /// The folder that holds tokenizer.json or spiece.model.
  public let tokenizerFolder: String

  /// Latent channels that are drawn, denoised and decoded.
  public var latentChannels: Int { autoencoder.configuration.latentChannels }

  /// The factors that a clip's width and height must divide by: the VAE's stride times the patch.
  public var sizeMultiple: Int { autoencoder.configuration.stride.space * TransformerConfiguration.patch.height }

  /// Rows that prompts are padded to and truncated at.
  public var textLength: Int { transformers.configuration.textLength }

  /// Opens the official layout: a single transformer at the root or two experts in folders of their own.
  ///
  /// - Throws: ``ModelError``, naming the file and, for tensors, each one that is missing, misshapen or unknown.
  public init(path: String) throws(ModelError) {
    let files = try FolderListing(path)
    self.path = path
    let opened = try Self.transformers(files)
    (transformers, family) = (opened.transformers, opened.family)
    autoencoder = try Self.autoencoder(files, family: family)
    textEncoder = try Self.textEncoder(files)
    tokenizerFolder = try Self.tokenizer(files)
    defaults = try Self.defaults(family: family, folders: opened.folders)
    try checkAgreement()
  }

  /// The networks must fit each other: channels, text width, and both experts alike.
  private func checkAgreement() throws(ModelError) {
    if case .experts(let high, let low) = transformers, high.configuration != low.configuration {
      throw .inconsistent(folder: path, reason: "the two experts differ in size; do they belong to one model?")
    }
    for (expert, part) in transformers.all {
      let (c, z) = (part.configuration, latentChannels)
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
  }
}

extension ModelFolder {
  /// The tokenizer, read whole; the text encoder has a row for each of its tokens.
  func openTokenizer() throws -> UnigramTokenizer {
    let tokenizer = try UnigramTokenizer.open(folder: tokenizerFolder)
    try textEncoder.check(token: tokenizer.vocabularySize - 1, tokenizerFolder: tokenizerFolder)
    return tokenizer
  }

  /// Every file that its networks are read from.
  public var checkpointFiles: [String] {
    let sources = transformers.all.map(\.part.source) + [autoencoder.source, textEncoder.source]
    return sources.flatMap(\.files)
  }
}
