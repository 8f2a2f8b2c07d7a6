// T latent frames of h x w, C latent channels; F frames of Hi x Wi.

import Layers
public import Tensors

/// A clip being decoded, part by part: 1 frame for the first latent frame, 4 for each later one.
///
/// Every tile goes through the whole clip before the next one starts, since the past that the convolutions keep is what
/// takes the memory; in one piece, frames come in their order.
public struct VAEDecoding {
  private let decoder: VAEDecoder
  private let latents: Tensor  // [T, h, w, C]
  private let tiles: [VAETile]
  private let values: Values
  private var stream = CausalStream()

  /// What becomes of numbers outside [-1, 1].
  public enum Values: Sendable {
    /// They are held at -1 or 1, as published; what is infinite becomes NaN.
    case held
    /// They stay.
    case raw
  }

  /// Some frames of a clip, or a rectangle of them.
  public struct Part: Sendable {
    /// [n, H, W, 3] float32, where the backend computes.
    public let frames: Tensor
    /// The number of the first of them in the clip, from 0.
    public let first: Int
    /// The pixels that they cover.
    public let region: FrameRegion
  }

  init(_ decoder: VAEDecoder, _ latents: Tensor, _ tiling: VAETiling, _ values: Values) {
    (self.decoder, self.latents, self.values) = (decoder, latents, values)
    tiles = tiling.tiles(height: latents.shape[1], width: latents.shape[2], decoder.configuration)
  }

  /// How many parts there are, one for each latent frame of each tile.
  public var partCount: Int { tiles.count * latents.shape[0] }

  /// How many of them have been decoded.
  public private(set) var partsDone = 0

  /// Whether frames come as parts that have to be put together.
  public var isTiled: Bool { tiles.count > 1 }

  /// Frames, rows and columns of the whole clip.
  public var extents: (frames: Int, height: Int, width: Int) {
    let space = decoder.configuration.stride.space
    return (frames(of: latents.shape[0] - 1).upperBound, latents.shape[1] * space, latents.shape[2] * space)
  }

  /// The frames that a latent frame gives.
  public func frames(of position: Int) -> Range<Int> {
    let step = decoder.configuration.stride.time
    return position == 0 ? 0..<1 : 1 + step * (position - 1)..<1 + step * position
  }

  /// The next part, or `nil` after the last.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  public mutating func next() throws -> Part? {
    guard partsDone < partCount else { return nil }
    try Task.checkCancellation()
    let (tile, position) = (tiles[partsDone / latents.shape[0]], partsDone % latents.shape[0])
    if position == 0 { stream = CausalStream() }
    let frames = decoder.frames(latents.slice(position..<position + 1), tile, stream, values)
    stream.isFirstChunk = false
    partsDone += 1
    return Part(
      frames: frames, first: self.frames(of: position).lowerBound,
      region: tile.output.scaled(by: decoder.configuration.patch))
  }
}
