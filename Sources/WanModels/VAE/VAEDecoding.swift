// T latent frames of h x w, C latent channels; F frames of Hi x Wi.

import Layers
import Tensors

/// A clip being decoded, part by part: 1 frame for the first latent frame, 4 for each later one.
///
/// Every tile goes through the whole clip before the next one starts, since the past that the convolutions keep is what
/// takes the memory; in one piece, frames come in their order.
public struct VAEDecoding: FrameDecoding {
  private let decoder: VAEDecoder
  private let latents: Tensor  // [T, h, w, C]
  private let tiles: [VAETile]
  private let values: DecodedValues
  private var stream = CausalStream()

  init(_ decoder: VAEDecoder, _ latents: Tensor, _ tiling: VAETiling, _ values: DecodedValues) {
    (self.decoder, self.latents, self.values) = (decoder, latents, values)
    tiles = tiling.tiles(height: latents.shape[1], width: latents.shape[2], decoder.configuration)
  }

  public var partCount: Int { tiles.count * latents.shape[0] }

  public private(set) var partsDone = 0

  public var isTiled: Bool { tiles.count > 1 }

  public var extents: (frames: Int, height: Int, width: Int) { decoder.configuration.latents.extents(of: latents) }

  public func frames(of position: Int) -> Range<Int> { decoder.configuration.latents.frames(of: position) }

  public mutating func next() throws -> DecodedPart? {
    guard partsDone < partCount else { return nil }
    try Task.checkCancellation()
    let (tile, position) = (tiles[partsDone / latents.shape[0]], partsDone % latents.shape[0])
    if position == 0 { stream = CausalStream() }
    let frames = decoder.frames(latents.slice(position..<position + 1), tile, stream, values)
    stream.isFirstChunk = false
    partsDone += 1
    return DecodedPart(
      frames: frames, first: self.frames(of: position).lowerBound,
      region: tile.output.scaled(by: decoder.configuration.patch))
  }
}
