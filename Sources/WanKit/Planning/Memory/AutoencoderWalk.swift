import Tensors
import WanModels

/// A walk through a half of the autoencoder that counts instead of computing: a plan tries a hundred tilings, for which
/// the network itself would be too slow. Tests hold it to the network.
struct AutoencoderWalk {
  private(set) var weights = 0, histories = 0, activations = 0
  private(set) var work = 0.0
  private let element: Int
  /// Past frames that most convolutions keep: 2, or the one frame of a clip that has no other.
  private let past: Int
  /// Bytes that the levels passed so far hold.
  private var held = 0
  /// Frames per latent frame at the present level, and those of them that go through together.
  private var rate = 1, together = 1
  /// Bytes of an element of what the present level takes in, and of the tile that was cut out of it.
  private var incoming = stream, cut = 0

  /// Bytes of the residual stream's elements.
  private static let stream = DType.f32.byteCount

  init(_ precision: Precision, isOneFrame: Bool = false) {
    element = precision.activations.byteCount
    past = isOneFrame ? 1 : 2
  }

  /// Past frames that lie beside those that take their place; a first frame has none.
  private var replaced: Int { past == 1 ? 0 : past }

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
    let cropped = tile.head == region ? 0 : Self.stream * tile.head.pixels
    let past = replaced * tile.head.pixels * element
    reach(
      channels
        * (together * (Self.stream * region.pixels + cropped + (Self.stream + rounded) * tile.head.pixels) + past))
    convolution(channels, c.imageChannels, taps: 27, tile.head, remembers: true)
  }

  /// - Parameters:
  ///   - frame: of the first level, after patches have been folded.
  ///   - frames: that go through together, 1 or 4.
  mutating func encoder(_ c: VAEConfiguration, _ frame: FrameRegion, frames: Int) {
    (together, incoming) = (frames, element)
    var region = frame
    convolution(c.imageChannels, c.encoderWidth, taps: 27, region, remembers: true)
    reach(together * region.pixels * (c.imageChannels * (Self.stream + rounded) + c.encoderWidth * element))
    for stage in c.encoder {
      down(stage, region, c.hasShortcuts)
      if stage.resample != nil { region = FrameRegion(height: region.rows.count / 2, width: region.columns.count / 2) }
    }
    held = 0
    let channels = c.encoder.last?.outputs ?? 0
    block(channels, channels, region)
    attention(channels, region)
    block(channels, channels, region)
    convolution(channels, 2 * c.latentChannels, taps: 27, region, remembers: true)
    convolution(2 * c.latentChannels, 2 * c.latentChannels, taps: 1, region)
  }

  private mutating func down(_ stage: VAEConfiguration.Stage, _ region: FrameRegion, _ hasShortcuts: Bool) {
    let (first, frames) = (incoming, together)
    held = frames * stage.inputs * first * region.pixels
    for index in stage.blocks.indices {
      block(index == 0 ? stage.inputs : stage.outputs, stage.outputs, region, isHeld: index == 0)
      incoming = Self.stream
    }
    var result = frames * region.pixels * stage.outputs * incoming
    if let resample = stage.resample {
      let small = FrameRegion(height: region.rows.count / 2, width: region.columns.count / 2)
      convolution(stage.outputs, resample.outputs, taps: 9, small)
      incoming = element
      let halved = frames * small.pixels * resample.outputs * element
      reach(result + halved)
      result = halved
      if resample.isTemporal {
        convolution(resample.outputs, resample.outputs, taps: 3, small, remembers: true, frames: 1)
        reach(2 * halved + 2 * small.pixels * resample.outputs * element)
        together = max(1, frames / 2)
        result = halved * together / frames
      }
    }
    // What came in once more, folded, and its means; then the sum.
    if hasShortcuts {
      let means = result / incoming * first
      reach(result + max(held + means, means + result))
    }
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
    let past = replaced * region.pixels * channels * element
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
    let first = x + together * (inputs * (incoming + copy) + outputs * element) + replaced * inputs * element
    let second = x + together * outputs * (element + Self.stream) + replaced * outputs * element
    let sum = x + together * outputs * Self.stream * (inputs == outputs ? 2 : 3)
    reach(max(first, second, sum) * region.pixels)
  }

  /// Norm, queries, keys, values and the attended; then the projection and the sum.
  private mutating func attention(_ channels: Int, _ region: FrameRegion) {
    convolution(channels, 4 * channels, taps: 1, region)
    reach(max(2 * Self.stream + 4 * element, 3 * Self.stream + element) * channels * region.pixels)
  }

  /// - Parameter frames: past ones that it keeps, where it remembers.
  private mutating func convolution(
    _ inputs: Int, _ outputs: Int, taps: Int, _ region: FrameRegion, remembers: Bool = false, frames: Int? = nil
  ) {
    weights += inputs * outputs * taps * element
    work += Double(inputs * outputs * taps) * Double(region.pixels * rate)
    if remembers { histories += (frames ?? past) * region.pixels * inputs * element }
  }

  private mutating func reach(_ bytes: Int) {
    activations = max(activations, held + bytes)
  }
}
