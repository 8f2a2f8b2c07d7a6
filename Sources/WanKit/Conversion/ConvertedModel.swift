import Layers
import WanModels

/// The parts of a model that a conversion writes, wherever they come from.
struct ConvertedModel {
  let family: ModelFamily
  let transformers: Transformers
  let autoencoder: Autoencoder
  let textEncoder: NetworkPart<UMT5Encoder>
  let tokenizer: TokenizerFiles
  /// Timestep / 1000 from which on the high-noise expert runs.
  let boundary: Double?
  /// The flow shift of diffusers' scheduler, where the model has one of its own.
  let schedulerShift: Double?
  /// The folder that it lies in, and its layout; `nil` for one that is made.
  let folder: (path: String, layout: StorageLayout)?

  /// A model that people have.
  init(_ model: ModelFolder) throws {
    guard let autoencoder = model.autoencoder else {
      throw ConversionError("\(model.path): it is opened with a tiny autoencoder alone; open it with its VAE")
    }
    (family, transformers, self.autoencoder) = (model.family, model.transformers, autoencoder)
    (textEncoder, boundary, schedulerShift) = (model.textEncoder, model.boundary, model.schedulerShift)
    tokenizer = try TokenizerFiles(model.tokenizerFolder)
    folder = (model.path, try StorageLayout(folder: model.path))
  }

  /// A model of random numbers.
  init(_ model: SyntheticModel, seed: UInt64) throws {
    let (family, sizes) = (model.family, model.transformer)
    func part(_ seed: UInt64) throws -> NetworkPart<WanTransformer> {
      let weights = RandomWeights(Demand(of: WanTransformer.self, sizes), seed: seed)
      return try NetworkPart<WanTransformer>(weights, configuration: sizes)
    }
    transformers =
      family.hasTwoExperts ? .experts(high: try part(seed), low: try part(seed &+ 1)) : .single(try part(seed))
    autoencoder = try Autoencoder(RandomWeights(model.autoencoder.demand, seed: seed))
    let encoder = RandomWeights(Demand(of: UMT5Encoder.self, model.textEncoder), seed: seed)
    textEncoder = try NetworkPart<UMT5Encoder>(encoder, configuration: model.textEncoder)
    tokenizer = TokenizerFiles(json: ByteTokenizer.json)
    (self.family, boundary, schedulerShift, folder) = (family, family.boundary, nil, nil)
  }
}
