public import Tensors
public import WanModels

/// What encoding a clip takes, from sizes alone; without what the process takes beside it.
public struct VAEEncodingEstimate: Sendable, Hashable {
  /// Bytes of the encoder's prepared weights.
  public let weights: Int
  /// Bytes of the past frames that the convolutions keep.
  public let histories: Int
  /// Bytes of the activations that are alive at the widest place.
  public let activations: Int
  /// Bytes of the clip as it is given.
  public let video: Int

  /// Bytes of all together.
  public var total: Int { weights + histories + activations + video }

  /// - Parameters:
  ///   - frames: a first one, and as many more as latent frames take.
  ///   - greyFrames: how many of them are zeros at the end, which nobody gives.
  ///   - height: pixels, as many as latents take.
  public init(
    _ configuration: VAEConfiguration, frames: Int, greyFrames: Int = 0, height: Int, width: Int, precision: Precision
  ) {
    let patch = configuration.patch
    var walk = AutoencoderWalk(precision, isOneFrame: frames == 1)
    walk.encoder(
      configuration, FrameRegion(height: height / patch, width: width / patch),
      frames: frames == 1 ? 1 : configuration.stride.time)
    (weights, histories, activations) = (walk.weights, walk.histories, walk.activations)
    video = (frames - greyFrames) * height * width * 3 * DType.f32.byteCount
  }
}
