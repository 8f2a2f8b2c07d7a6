public import Tensors

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
  /// Multiplications of all tiles for one latent frame.
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
      var walk = DecoderWalk(precision)
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

/// A walk through the decoder that counts instead of computing.
private struct DecoderWalk {
  private(set) var weights = 0, histories = 0, activations = 0
  private(set) var work = 0.0
  private let element: Int
  /// Bytes that the levels passed so far hold.
  private var held = 0
  /// Frames per latent frame at the present level.
  private var rate = 1

  /// Bytes of the residual stream's elements.
  private static let stream = DType.f32.byteCount
  /// Bytes of an activation beyond which frames go on one by one, as in the decoder.
  private static let piece = VAEDecoder.largestPiece

  init(_ precision: Precision) {
    element = precision.activations.byteCount
  }

  mutating func decoder(_ c: VAEConfiguration, _ latents: FrameRegion, _ tile: VAETile) {
    let width = c.decoderWidth
    convolution(c.latentChannels, width, taps: 27, latents, remembers: true)
    block(width, width, latents)
    block(width, width, latents)
    convolution(width, 4 * width, taps: 1, latents)
    for (stage, region) in zip(c.decoder, tile.stages) { self.stage(stage, region, c.hasShortcuts) }
    convolution(c.decoder.last?.outputs ?? 0, c.imageChannels, taps: 27, tile.head, remembers: true)
  }

  private mutating func stage(_ stage: VAEConfiguration.Stage, _ region: FrameRegion, _ hasShortcuts: Bool) {
    for index in stage.blocks.indices { block(index == 0 ? stage.inputs : stage.outputs, stage.outputs, region) }
    guard let resample = stage.resample else { return }
    if resample.isTemporal { convolution(stage.outputs, 2 * stage.outputs, taps: 3, region, remembers: true) }
    rate *= resample.isTemporal ? 2 : 1
    convolution(stage.outputs, resample.outputs, taps: 16, region)
    let frames = (resample.isTemporal ? 2 : 1) * atOnce(stage.inputs * region.pixels * element)
    let result = frames * 4 * region.pixels * resample.outputs * element
    let inside = region.pixels * stage.outputs * (Self.stream + element)
    reach((hasShortcuts ? 3 : 1) * result + inside)
    held += result
  }

  /// A residual block: both convolutions with what they remember, the norms' results and the residual stream.
  private mutating func block(_ inputs: Int, _ outputs: Int, _ region: FrameRegion) {
    convolution(inputs, outputs, taps: 27, region, remembers: true)
    convolution(outputs, outputs, taps: 27, region, remembers: true)
    if inputs != outputs { convolution(inputs, outputs, taps: 1, region) }
    let first = (Self.stream + 3 * element) * inputs + element * outputs
    let second = Self.stream * inputs + (4 * element + Self.stream) * outputs
    reach(max(first, second) * region.pixels * atOnce(inputs * region.pixels * element))
  }

  private mutating func convolution(
    _ inputs: Int, _ outputs: Int, taps: Int, _ region: FrameRegion, remembers: Bool = false
  ) {
    weights += inputs * outputs * taps * element
    work += Double(inputs * outputs * taps) * Double(region.pixels * rate)
    if remembers { histories += 2 * region.pixels * inputs * element }
  }

  /// Frames of this many bytes that go through a level together.
  private func atOnce(_ bytes: Int) -> Int {
    max(1, min(rate, Self.piece / max(1, bytes)))
  }

  private mutating func reach(_ bytes: Int) {
    activations = max(activations, held + bytes)
  }
}
