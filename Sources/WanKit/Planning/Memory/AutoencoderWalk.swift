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
    let given = frames * c.imageChannels * Self.stream * region.pixels
    for (index, stage) in c.encoder.enumerated() {
      if index == 0 {
        held = given
        let isApart = stage.resample?.isTemporal != true && given > VAEDecoder.largestPiece
        apart(isApart ? frames : 1, stage, region) { walk in
          walk.convolution(c.imageChannels, c.encoderWidth, taps: 27, region, remembers: true)
          walk.reach(walk.together * region.pixels * (c.imageChannels * walk.rounded + c.encoderWidth * walk.element))
          walk.down(stage, region, c.hasShortcuts)
        }
        held = 0
      } else {
        down(stage, region, c.hasShortcuts)
      }
      if stage.resample != nil { region = region.halved }
    }
    let channels = c.encoder.last?.outputs ?? 0
    block(channels, channels, region)
    attention(channels, region)
    block(channels, channels, region)
    convolution(channels, 2 * c.latentChannels, taps: 27, region, remembers: true)
    convolution(2 * c.latentChannels, 2 * c.latentChannels, taps: 1, region)
  }

  /// Frames that go through a level in so many parts, whose results wait until they are joined.
  private mutating func apart(
    _ parts: Int, _ stage: VAEConfiguration.Stage, _ region: FrameRegion, _ body: (inout AutoencoderWalk) -> Void
  ) {
    guard parts > 1 else { return body(&self) }
    let (frames, before) = (together, held)
    let small = stage.resample == nil ? region : region.halved
    let results =
      frames * small.pixels
      * (stage.resample.map { $0.outputs * element } ?? stage.outputs * Self.stream)
    together = frames / parts
    held += results - results / parts
    body(&self)
    (together, held) = (frames, before)
    reach(2 * results)
  }

  /// A level of the encoder, beside what is held.
  private mutating func down(_ stage: VAEConfiguration.Stage, _ region: FrameRegion, _ hasShortcuts: Bool) {
    let (before, first) = (held, incoming)
    let taken = together * stage.inputs * first * region.pixels
    held += taken
    apart(taken > VAEDecoder.largestPiece ? together : 1, stage, region) { $0.halve(stage, region, first) }
    var result = together * stage.outputs * Self.stream * region.pixels
    if let resample = stage.resample {
      result = together * region.halved.pixels * resample.outputs * element
      if resample.isTemporal { result = halveTime(resample.outputs, region.halved) }
    }
    // What came in once more, folded, and its means; then the sum.
    if hasShortcuts {
      let means = result / incoming * first
      reach(result + max(taken + means, means + result))
    }
    held = before
  }

  /// The blocks of a level, and half the rows and columns of what they give.
  private mutating func halve(_ stage: VAEConfiguration.Stage, _ region: FrameRegion, _ first: Int) {
    incoming = first
    for index in stage.blocks.indices {
      block(index == 0 ? stage.inputs : stage.outputs, stage.outputs, region, isHeld: index == 0)
      incoming = Self.stream
    }
    guard let resample = stage.resample else { return }
    convolution(stage.outputs, resample.outputs, taps: 9, region.halved)
    incoming = element
    reach(together * (region.pixels * stage.outputs * Self.stream + region.halved.pixels * resample.outputs * element))
  }

  /// One frame of two; the bytes of the result.
  private mutating func halveTime(_ channels: Int, _ region: FrameRegion) -> Int {
    let whole = together * region.pixels * channels * element
    convolution(channels, channels, taps: 3, region, remembers: true, frames: 1)
    reach(2 * whole + 2 * region.pixels * channels * element)
    defer { together = max(1, together / 2) }
    return whole * max(1, together / 2) / together
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

extension FrameRegion {
  /// What halving it leaves.
  fileprivate var halved: FrameRegion { FrameRegion(height: rows.count / 2, width: columns.count / 2) }
}
