import Tensors
import WanModels

/// What a plan needs at its peak, from sizes alone: the largest network and the activations beside it.
public struct MemoryEstimate: Sendable, Hashable {
  /// Bytes of the largest network that is resident at a time.
  public let weights: Int
  /// Bytes of activations at the widest point of sampling or decoding.
  public let activations: Int

  /// Bytes of both together.
  public var total: Int { weights + activations }
}

extension GenerationPlan {
  /// An estimate for the CPU backend, without the 70 MiB or so that the process takes in any case.
  ///
  /// A TI2V-5B of random weights at 256x256, 17 frames was estimated at 11.1 GiB and peaked at 9.9.
  public var memory: MemoryEstimate {
    let sources = [model.textEncoder.source, model.autoencoder.source] + model.transformers.values.map(\.source)
    let weights = sources.map(\.byteCount).max() ?? 0
    return MemoryEstimate(weights: weights, activations: max(samplingBytes, decodingBytes))
  }

  /// Residual stream, its copy and the feed-forward layer of all prompts.
  private var samplingBytes: Int {
    guard let c = model.transformers.values.first?.configuration else { return 0 }
    let element = precision.activations.byteCount
    return 2 * tokens * (c.dimension * (2 * 4 + 4 * element) + c.feedForward * element)
  }

  /// About four float32 activations of the decoder's widest full-size level, one latent frame's frames at a time.
  private var decodingBytes: Int {
    let c = model.autoencoder.configuration
    let pixels = (width / c.patch) * (height / c.patch)
    return 4 * min(frames, c.stride.time) * pixels * (c.decoder.last?.inputs ?? 0) * DType.f32.byteCount
  }
}

extension WeightSource {
  /// Bytes of all tensors in their stored types.
  var byteCount: Int {
    names.reduce(0) { total, name in
      total + (descriptor(name).map { $0.shape.count * $0.dtype.byteCount } ?? 0)
    }
  }
}
