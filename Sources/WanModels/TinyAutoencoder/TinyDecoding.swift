// T latent frames of h x w, C latent channels.

import Layers
import Tensors

/// A clip being decoded by a tiny autoencoder, a latent frame at a time: 1 frame for the first, 4 for each later one.
public struct TinyDecoding: FrameDecoding {
  private let decoder: TinyDecoder
  private let latents: Tensor  // [T, h, w, C]
  private let values: DecodedValues
  private let stream = CausalStream()

  init(_ decoder: TinyDecoder, _ latents: Tensor, _ values: DecodedValues) {
    (self.decoder, self.latents, self.values) = (decoder, latents, values)
  }

  public var partCount: Int { latents.shape[0] }
  public private(set) var partsDone = 0
  public var isTiled: Bool { false }
  public var extents: (frames: Int, height: Int, width: Int) { decoder.configuration.latents.extents(of: latents) }

  public func frames(of position: Int) -> Range<Int> { decoder.configuration.latents.frames(of: position) }

  public mutating func next() throws -> DecodedPart? {
    guard partsDone < partCount else { return nil }
    try Task.checkCancellation()
    let frames = decoder.frames(latents.slice(partsDone..<partsDone + 1), stream, values)
    let first = self.frames(of: partsDone).lowerBound
    stream.isFirstChunk = false
    partsDone += 1
    return DecodedPart(
      frames: frames, first: first, region: FrameRegion(height: frames.shape[1], width: frames.shape[2]))
  }
}
