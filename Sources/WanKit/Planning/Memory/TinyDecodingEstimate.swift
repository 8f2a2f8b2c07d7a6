public import Tensors
public import WanModels

/// What decoding a clip by a tiny autoencoder takes, from sizes alone; without what the process takes beside it.
///
/// One frame goes through at a time, so that nothing grows with the clip. Tests hold it to the network.
public struct TinyDecodingEstimate: Sendable, Hashable {
  /// Bytes of the decoder's prepared weights.
  public private(set) var weights = 0
  /// Bytes of the past frames that the memory blocks keep.
  public private(set) var histories = 0
  /// Bytes of the activations that are alive at the widest place.
  public private(set) var activations = 0
  /// Bytes of the frames of one latent frame.
  public private(set) var frames = 0
  /// Multiplications with weights for one latent frame that is not the first.
  public private(set) var work = 0.0

  /// Bytes of all together.
  public var total: Int { weights + histories + activations + frames }

  /// Bytes of an element of the residual stream.
  private static let stream = DType.f32.byteCount
  private let element: Int

  /// - Parameters:
  ///   - latents: [C, T, h, w].
  ///   - precision: of the convolutions.
  public init(_ c: TinyConfiguration, latents: Shape, precision: Precision) {
    element = precision.activations.byteCount
    var (pixels, rate, held) = (latents[2] * latents[3], 1, 0)
    let outputs = 3 * c.patch * c.patch
    convolution(c.latentChannels, c.widths[0], taps: 9, pixels)
    for (level, growth) in c.growth.enumerated() {
      let (width, next) = (c.widths[level], c.widths[level + 1])
      held += pixels * width * element  // what comes in
      for block in 0..<3 { self.block(width, pixels, rate, held, isFirst: block == 0) }
      held += pixels * width * Self.stream  // what the blocks give, until all its frames are through
      convolution(width, width * growth, taps: 1, pixels * rate)
      rate *= growth
      convolution(width, next, taps: c.isEnlarging ? 16 : 9, pixels * rate)
      let source = pixels * width * element
      if c.isEnlarging { pixels *= 4 }
      reach(held + source + pixels * next * element)
    }
    convolution(c.widths[c.growth.count], outputs, taps: 9, pixels * rate)
    let frame = pixels * outputs * Self.stream
    frames = rate * frame
    // Behind the last level: the frames once more, as pixels, and two of them on the way.
    reach(frames + 2 * frame)
  }

  /// A memory block for one frame: what comes in, rounded; the past frame; three convolutions; the sum.
  private mutating func block(_ width: Int, _ pixels: Int, _ rate: Int, _ held: Int, isFirst: Bool) {
    let (frame, copy) = (pixels * width, isFirst || element == Self.stream ? 0 : element)
    let x = isFirst ? 0 : Self.stream  // the first one's is what the level holds
    convolution(width, width, taps: 36, pixels * rate)
    histories += frame * element
    reach(held + frame * max(x + copy + 2 * element, x + element + Self.stream, x + 2 * Self.stream))
  }

  private mutating func convolution(_ inputs: Int, _ outputs: Int, taps: Int, _ pixels: Int) {
    weights += inputs * outputs * taps * element
    work += Double(inputs * outputs * taps) * Double(pixels)
  }

  private mutating func reach(_ bytes: Int) { activations = max(activations, bytes) }
}
