import Checkpoints
import Files
import Layers
import Sampling
import Tensors
import WanModels

// Finding each part of a model's folder and checking it; every error names the file.

extension ModelFolder {
  /// The transformers of a model and the family that they are of.
  static func transformers(
    _ files: ModelFiles
  ) throws(ModelError) -> (transformers: Transformers, family: ModelFamily) {
    var parts: [NetworkPart<WanTransformer>] = []
    var modelType: String?
    for (_, place) in files.transformers {
      let opened = try transformer(place)
      modelType = opened.modelType ?? modelType
      parts.append(opened.part)
    }
    guard let first = parts.first else { throw files.noTransformer }
    let transformers: Transformers = parts.count == 2 ? .experts(high: parts[0], low: parts[1]) : .single(first)
    return (
      transformers,
      try family(modelType: modelType ?? (files.official == nil ? nil : ""), transformers, folder: files.path)
    )
  }

  private static func transformer(
    _ place: ModelFiles.Place
  ) throws(ModelError) -> (part: NetworkPart<WanTransformer>, modelType: String?) {
    let file: ConfigurationFile?
    if let path = place.configuration { file = try ConfigurationFile(path: path) } else { file = nil }
    let source = try open(place.path, as: .transformer)
    let isOwn = place.configuration.map(Paths.folder) == (FolderListing.isFolder(place.path) ? place.path : nil)
    var facts = try file.map { file throws(ModelError) in try TransformerConfiguration.Facts(file) }
    // The sizes of a file that takes another's place are its own.
    if !isOwn { facts?.stated = [:] }
    let part = try checking { () throws(WeightError) in
      guard let facts else { return try NetworkPart<WanTransformer>(source) }
      return try NetworkPart<WanTransformer>(
        source, configuration: try TransformerConfiguration(reading: source, facts: facts))
    }
    return (part, try file?.string("model_type"))
  }

  /// By what the configuration says, or by the channels: Wan-AI's says it, others do not.
  private static func family(
    modelType: String?, _ transformers: Transformers, folder: String
  ) throws(ModelError) -> ModelFamily {
    let count = transformers.all.count
    let sizes = transformers.configuration
    let told: ModelFamily =
      sizes.inputChannels > sizes.outputChannels
      ? .i2vA14B : sizes.inputChannels == 48 || modelType == ModelFamily.ti2v5B.modelType ? .ti2v5B : .t2vA14B
    var family = told
    if let modelType {
      guard let stated = ModelFamily.all.first(where: { $0.modelType == modelType }) else {
        let known = ModelFamily.all.map(\.modelType).joined(separator: ", ")
        throw .inconsistent(
          folder: folder, reason: "config.json says model_type '\(modelType.prefix(40))', known are \(known)")
      }
      family = stated
    }
    guard family.hasTwoExperts == (count == 2) else {
      let kind = modelType.map { "model_type '\($0)'" } ?? "\(family.name), which its channels tell,"
      throw .inconsistent(
        folder: folder,
        reason: "\(kind) has \(family.hasTwoExperts ? "two experts" : "one transformer"), "
          + (modelType == nil && count == 1 ? "only one is named or found" : "the folder has \(count)"))
    }
    return family
  }

  /// What decodes the latents of a transformer.
  static func decoder(
    _ files: ModelFiles, family: ModelFamily, of transformer: TransformerConfiguration
  ) throws(ModelError) -> LatentDecoder {
    guard files.decodesTiny else { return .vae(try autoencoder(files, family: family)) }
    guard let place = files.tinyAutoencoder else { throw files.noTinyAutoencoder(for: transformer) }
    let channels = transformer.outputChannels
    let source = try open(place.path, as: .tinyAutoencoder)
    let part = try checking { () throws(WeightError) in try NetworkPart<TinyDecoder>(source) }
    let (own, published) = (part.configuration.latents, TinyConfiguration.published(channels))
    let advice = published.map { "; take \($0.name)" } ?? ""
    guard own.channels == channels else {
      throw .inconsistent(
        folder: place.path,
        reason: "this tiny autoencoder is for \(own.channels) latent channels, the model has \(channels)" + advice)
    }
    guard own == published?.configuration.latents ?? own else {
      throw .inconsistent(
        folder: place.path, reason: "this tiny autoencoder makes \(own.space) pixels of a latent one" + advice)
    }
    return .tiny(part)
  }

  static func autoencoder(_ files: ModelFiles, family: ModelFamily) throws(ModelError) -> Autoencoder {
    guard let place = files.autoencoder else { throw files.noAutoencoder(family) }
    let source = try open(place.path, as: .autoencoder)
    return try checking { () throws(WeightError) in try Autoencoder(source) }
  }

  static func textEncoder(_ files: ModelFiles) throws(ModelError) -> NetworkPart<UMT5Encoder> {
    guard let place = files.textEncoder else { throw files.noTextEncoder }
    let source = try open(place.path, as: .textEncoder)
    return try checking { () throws(WeightError) in try NetworkPart<UMT5Encoder>(source) }
  }

  static func tokenizer(_ files: ModelFiles) throws(ModelError) -> String {
    guard let place = files.tokenizer else { throw files.noTokenizer }
    return place.path
  }

  static func defaults(family: ModelFamily, folders: [String]) throws(ModelError) -> GenerationDefaults {
    for folder in folders where try FolderListing(folder).contains("generation_config.json") {
      return try family.defaults.overridden(by: ConfigurationFile(path: folder + "/generation_config.json"))
    }
    return family.defaults
  }

  private static func open(_ path: String, as network: NetworkKind) throws(ModelError) -> any WeightSource {
    let source: any WeightSource
    do {
      source = try openCheckpoint(path: path)
    } catch {
      throw .checkpoint(error.description)
    }
    return try CheckpointRecognition.network(network, in: source)
  }

  private static func checking<R>(_ body: () throws(WeightError) -> R) throws(ModelError) -> R {
    do {
      return try body()
    } catch {
      throw .checkpoint(error.description)
    }
  }
}
