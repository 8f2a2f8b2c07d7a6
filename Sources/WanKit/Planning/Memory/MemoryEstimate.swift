public import Layers
public import Tensors
public import WanModels

/// What a plan, or a stage of it, needs at its peak, from sizes alone: the weights and activations of the stage that needs most.
public struct MemoryEstimate: Sendable, Hashable {
  /// Bytes of the weights that are resident in that stage.
  public let weights: Int
  /// Bytes of all else at the stage's widest point.
  public let activations: Int

  /// Bytes of both together.
  public var total: Int { weights + activations }
}

extension GenerationPlan {
  /// What the stage that needs most takes, without what process and backend take in any case (``BackendTraits/Overhead``).
  ///
  /// A TI2V-5B of random weights at 256x256, 17 frames is estimated at 10.6 GiB and peaked at 9.9.
  public func memory(on traits: BackendTraits) -> MemoryEstimate {
    let stages = [
      MemoryEstimate(
        weights: model.textEncoder.source.byteCount
          + model.textEncoder.decodedBytes(in: precision.unquantized, on: traits),
        activations: 0), encodingMemory,
      samplingMemory(on: traits), decodingMemory,
    ]
    return stages.max { $0.total < $1.total } ?? decodingMemory
  }

  /// What sampling alone needs, with the larger expert and its LoRAs.
  public func samplingMemory(on traits: BackendTraits) -> MemoryEstimate {
    let transformer =
      model.transformers.all.map { expert, part in
        let adapters = fittedAdapters[expert].reduce(0) { $0 + $1.parameters }
        return part.byteCount(in: precision, on: traits) + adapters * precision.activations.byteCount
      }.max() ?? 0
    let estimate = SamplingEstimate(
      model.transformers.configuration, latents: latentShape, prompts: tokenIDs.all.count,
      textRows: min(
        model.transformers.configuration.textLength, (tokenIDs.all.map(\.count).max() ?? 0) + 1),
      precision: precision, on: traits)
    return MemoryEstimate(weights: transformer, activations: estimate.total + cacheBytes)
  }

  /// Bytes of the transformer's weights that no file has: copies where the backend makes them, else the matrices that
  /// ``Precision/int8`` makes.
  func ownedWeights(on traits: BackendTraits) -> Int {
    guard traits.usesWeightsInPlace else { return samplingMemory(on: traits).weights }
    guard precision == .int8, traits.precisions.contains(.int8) else {
      return model.transformers.all.map { $0.part.decodedBytes(in: precision.unquantized, on: traits) }.max() ?? 0
    }
    return model.transformers.all.map { $0.part.madeBytes.reduce(0) { $0 + $1.bytes } }.max() ?? 0
  }

  /// What decoding alone needs, by the VAE in the tiles of ``decodingTiling``, or by a tiny autoencoder.
  public var decodingMemory: MemoryEstimate {
    switch model.decoder {
    case .vae(let autoencoder):
      let estimate = VAEDecodingEstimate(
        autoencoder.configuration, latents: latentShape, precision: precision, tiling: decodingTiling)
      return MemoryEstimate(weights: estimate.weights, activations: estimate.total - estimate.weights)
    case .tiny(let part):
      let estimate = TinyDecodingEstimate(part.configuration, latents: latentShape, precision: precision)
      return MemoryEstimate(weights: estimate.weights, activations: estimate.total - estimate.weights)
    }
  }

  /// What encoding the pictures needs: those that are known, or as many frames as the clip has; nothing without any.
  public var encodingMemory: MemoryEstimate {
    guard let imageEncoder, let known = knownPictures else { return MemoryEstimate(weights: 0, activations: 0) }
    let isWhole = model.family.conditioning == .channels
    let held = max(known.leading.count, known.last == nil ? 0 : model.latents.time + 1)
    let estimate = VAEEncodingEstimate(
      imageEncoder.configuration, frames: isWhole ? frames : held, greyFrames: isWhole ? frames - known.count : 0,
      height: height, width: width, precision: precision)
    return MemoryEstimate(weights: estimate.weights, activations: estimate.total - estimate.weights)
  }
}

extension NetworkPart {
  /// Bytes of what is made of kernels that are stored in codes, beside the codes, and of matrices where the backend does
  /// not multiply them as they are; tables are decoded by rows.
  func decodedBytes(in precision: Precision, on traits: BackendTraits) -> Int {
    demand.requests.reduce(0) { total, request in
      let isMade = request.use == .kernel || request.use == .parameter || !traits.usesWeightsInPlace
      guard isMade, request.use != .table, isCoded(request) else { return total }
      return total + request.shape.count * precision.activations.byteCount
    }
  }

  func isCoded(_ request: TensorRequest) -> Bool {
    source.descriptor(request.name).map { $0.dtype == nil } ?? false
  }

  /// The bytes that ``Precision/int8`` makes of matrices, and those that they are stored in: of numbers, not of codes or
  /// bytes.
  fileprivate var madeBytes: [(bytes: Int, stored: Int)] {
    demand.quantizable.compactMap { request in
      guard !isCoded(request), source.companions(of: request.name).isEmpty else { return nil }
      let bytes = request.shape.count + request.shape[0] * DType.f32.byteCount
      return (bytes, source.descriptor(request.name)?.byteCount ?? 0)
    }
  }
}

extension NetworkPart<WanTransformer> {
  /// Bytes of the weights as they are used: in their stored types, and in ``Precision/int8`` the blocks' matrices of
  /// numbers as bytes with a scale for each row, where the backend multiplies bytes.
  public func byteCount(in precision: Precision, on traits: BackendTraits) -> Int {
    let stored = source.byteCount + decodedBytes(in: precision.unquantized, on: traits)
    guard precision == .int8, traits.precisions.contains(.int8) else { return stored }
    return madeBytes.reduce(stored) { $0 + $1.bytes - $1.stored }
  }
}
