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

/// A walk through the decoder that counts instead of computing: a plan tries a hundred tilings, for which the network
/// itself would be too slow. Tests hold it to the network.
private struct DecoderWalk {
  private(set) var weights = 0, histories = 0, activations = 0
  private(set) var work = 0.0
  private let element: Int
  /// Bytes that the levels passed so far hold.
  private var held = 0
  /// Frames per latent frame at the present level, and those of them that go through together.
  private var rate = 1, together = 1
  /// Bytes of an element of what the present level takes in, and of the tile that was cut out of it.
  private var incoming = stream, cut = 0

  /// Bytes of the residual stream's elements.
  private static let stream = DType.f32.byteCount

  init(_ precision: Precision) {
    element = precision.activations.byteCount
  }

  mutating func decoder(_ c: VAEConfiguration, _ latents: FrameRegion, _ tile: VAETile) {
    let width = c.decoderWidth
    convolution(c.latentChannels, c.latentChannels, taps: 1, latents)
    convolution(c.latentChannels, width, taps: 27, latents, remembers: true)
    block(width, width, latents)
    attention(width, latents)
    block(width, width, latents)
    var region = latents
    for (stage, part) in zip(c.decoder, tile.stages) {
      enter(stage.inputs, region, part)
      self.stage(stage, part, c.hasShortcuts)
      region = stage.resample == nil ? part : part.scaled(by: 2)
    }
    let channels = c.decoder.last?.outputs ?? 0
    // The head's norm is in the residual stream's type; its convolution rounds it.
    let cut = tile.head == region ? 0 : Self.stream * tile.head.pixels
    let past = 2 * tile.head.pixels * element
    reach(
      channels * (together * (Self.stream * region.pixels + cut + (Self.stream + rounded) * tile.head.pixels) + past))
    convolution(channels, c.imageChannels, taps: 27, tile.head, remembers: true)
  }

  /// Bytes of an element of a copy of the residual stream in what convolutions take; none where that is the same.
  private var rounded: Int { element == Self.stream ? 0 : element }

  /// What a level takes in: large frames go on one by one, and tiles are cut out of what the level before gave.
  private mutating func enter(_ inputs: Int, _ region: FrameRegion, _ part: FrameRegion) {
    let frame = inputs * incoming
    held += together * frame * region.pixels
    if together * frame * region.pixels > VAEDecoder.largestPiece { together = 1 }
    cut = part == region ? 0 : together * frame * part.pixels
  }

  private mutating func stage(_ stage: VAEConfiguration.Stage, _ region: FrameRegion, _ hasShortcuts: Bool) {
    let first = incoming
    held += cut
    for index in stage.blocks.indices {
      block(index == 0 ? stage.inputs : stage.outputs, stage.outputs, region, isHeld: index == 0)
      incoming = Self.stream
    }
    if let resample = stage.resample {
      if resample.isTemporal { doubleTime(stage.outputs, region) }
      let result = together * 4 * region.pixels * resample.outputs
      convolution(stage.outputs, resample.outputs, taps: 16, region)
      reach(together * region.pixels * stage.outputs * incoming + result * element)
      // Repeated channels, and the same unfolded; then the sum.
      if hasShortcuts { reach(result * element + max(2 * result * first, result * (first + element))) }
      incoming = element
    }
    held -= cut
  }

  private mutating func doubleTime(_ channels: Int, _ region: FrameRegion) {
    convolution(channels, 2 * channels, taps: 3, region, remembers: true)
    let frames = together * region.pixels * channels
    let past = 2 * region.pixels * channels * element
    reach(frames * (incoming + rounded + 2 * element) + past)
    reach(frames * (incoming + 4 * element))  // pairs of frames, and the same in order
    rate *= 2
    together *= 2
    incoming = element
  }

  /// A residual block: norms, convolutions with what they remember, the shortcut and the sum.
  ///
  /// - Parameter isHeld: whether the block's input is already counted as what the level holds.
  private mutating func block(_ inputs: Int, _ outputs: Int, _ region: FrameRegion, isHeld: Bool = false) {
    convolution(inputs, outputs, taps: 27, region, remembers: true)
    convolution(outputs, outputs, taps: 27, region, remembers: true)
    if inputs != outputs { convolution(inputs, outputs, taps: 1, region) }
    let x = isHeld ? 0 : together * inputs * incoming
    let copy = incoming == element ? 0 : element
    let first = x + together * (inputs * (incoming + copy) + outputs * element) + 2 * inputs * element
    let second = x + together * outputs * (element + Self.stream) + 2 * outputs * element
    let sum = x + together * outputs * Self.stream * (inputs == outputs ? 2 : 3)
    reach(max(first, second, sum) * region.pixels)
  }

  /// Norm, queries, keys, values and the attended; then the projection and the sum.
  private mutating func attention(_ channels: Int, _ region: FrameRegion) {
    convolution(channels, 4 * channels, taps: 1, region)
    reach(max(2 * Self.stream + 4 * element, 3 * Self.stream + element) * channels * region.pixels)
  }

  private mutating func convolution(
    _ inputs: Int, _ outputs: Int, taps: Int, _ region: FrameRegion, remembers: Bool = false
  ) {
    weights += inputs * outputs * taps * element
    work += Double(inputs * outputs * taps) * Double(region.pixels * rate)
    if remembers { histories += 2 * region.pixels * inputs * element }
  }

  private mutating func reach(_ bytes: Int) {
    activations = max(activations, held + bytes)
  }
}
