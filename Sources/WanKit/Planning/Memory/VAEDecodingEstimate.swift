public import Tensors
public import WanModels

/// What decoding a clip takes, from sizes alone, for the CPU backend; without what the process takes beside it.
public struct VAEDecodingEstimate: Sendable, Hashable {
  /// Bytes of the decoder's prepared weights.
  public private(set) var weights = 0
  /// Bytes of the past frames that the convolutions of the largest tile keep.
  public private(set) var histories = 0
  /// Bytes of the activations that are alive at the widest place of the largest tile.
  public private(set) var activations = 0
  /// Bytes of the frames: those of the whole clip with tiles, else those of one latent frame.
  public private(set) var frames = 0
  /// Multiplications with weights, of all tiles for one latent frame that is not the first.
  public private(set) var work = 0.0

  /// Bytes of all together.
  public var total: Int { weights + histories + activations + frames }

  /// - Parameters:
  ///   - latents: [C, T, h, w].
  ///   - precision: of the convolutions.
  public init(_ configuration: VAEConfiguration, latents: Shape, precision: Precision, tiling: VAETiling) {
    let (count, height, width) = (latents[1], latents[2], latents[3])
    let whole = FrameRegion(height: height, width: width)
    for tile in tiling.tiles(height: height, width: width, configuration) {
      var walk = AutoencoderWalk(precision)
      walk.decoder(configuration, whole, tile)
      weights = walk.weights
      histories = max(histories, walk.histories)
      activations = max(activations, walk.activations)
      work += walk.work
    }
    let (time, space) = configuration.stride
    let frame = height * space * width * space * 3
    let inFlight = 3 * time * frame * DType.f32.byteCount  // before, after unpatching, and clamped
    frames = tiling.count == 1 ? inFlight : (time * (count - 1) + 1) * frame * 2 + inFlight / tiling.count
  }
}
