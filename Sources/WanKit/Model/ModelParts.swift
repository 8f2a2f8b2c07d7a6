public import Layers
public import Sampling
public import Tensors
public import WanModels

/// The transformers of a model: one for all steps, or two experts that share them.
public enum Transformers: Sendable {
  /// One for all steps.
  case single(NetworkPart<WanTransformer>)
  /// One for the first, noisy steps and one for the rest; both of one size.
  case experts(high: NetworkPart<WanTransformer>, low: NetworkPart<WanTransformer>)

  /// The transformer that an expert's steps run on; of a single one, itself.
  public subscript(expert: Expert) -> NetworkPart<WanTransformer> {
    switch self {
    case .single(let part): part
    case .experts(let high, let low): expert == .high ? high : low
    }
  }

  /// Every transformer, in the order in which they run.
  public var all: [(expert: Expert, part: NetworkPart<WanTransformer>)] {
    switch self {
    case .single(let part): [(.only, part)]
    case .experts(let high, let low): [(.high, high), (.low, low)]
    }
  }

  /// The sizes that all of them have.
  public var configuration: TransformerConfiguration { self[.low].configuration }
}

/// What turns latents into frames.
public enum LatentDecoder: Sendable {
  /// The VAE, which encodes pictures too.
  case vae(Autoencoder)
  /// A tiny autoencoder in its place, of which nothing but the decoder is read.
  case tiny(NetworkPart<TinyDecoder>)

  /// How the latents lie over a clip.
  public var latents: LatentGeometry {
    switch self {
    case .vae(let autoencoder): autoencoder.configuration.latents
    case .tiny(let part): part.configuration.latents
    }
  }

  /// The checkpoint that it is read from.
  public var source: any WeightSource {
    switch self {
    case .vae(let autoencoder): autoencoder.source
    case .tiny(let part): part.source
    }
  }

  /// Whether a tiny autoencoder decodes.
  public var isTiny: Bool { if case .tiny = self { true } else { false } }
}

/// The two halves of a VAE, out of one checkpoint.
public struct Autoencoder: Sendable {
  /// Images and clips to latents.
  public let encoder: NetworkPart<VAEEncoder>
  /// Latents to frames.
  public let decoder: NetworkPart<VAEDecoder>

  /// The checkpoint that both are read from.
  public var source: any WeightSource { decoder.source }
  /// Stages, widths and channels, all told by the tensors.
  public var configuration: VAEConfiguration { decoder.configuration }

  /// Looks at the tensors of both halves.
  ///
  /// - Throws: everything that is missing, misshapen or of a type that is not read, and what belongs to neither half.
  public init(_ source: any WeightSource) throws(WeightError) {
    let configuration = try VAEConfiguration(reading: source)
    let cursor = Weights(surveying: source)
    _ = VAEEncoder(cursor, configuration)
    let encoding = cursor.demand
    _ = VAEDecoder(cursor, configuration)
    try cursor.finishWhole()
    encoder = NetworkPart(source, configuration, demand: encoding)
    decoder = NetworkPart(
      source, configuration, demand: Demand(Array(cursor.demand.requests.dropFirst(encoding.requests.count))))
  }
}
