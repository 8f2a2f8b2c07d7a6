public import Tensors

/// How latents lie over a clip: what every decoder of the same latents has in common.
public struct LatentGeometry: Sendable, Hashable {
  /// Latent channels (z).
  public let channels: Int
  /// Frames of video per latent frame after the first, and pixels per latent entry along rows and columns.
  public let time, space: Int

  /// [C, T, h, w] of the latents of a clip, whose extents are those that a plan accepts.
  public func shape(frames: Int, height: Int, width: Int) -> Shape {
    [channels, (frames - 1) / time + 1, height / space, width / space]
  }

  /// The frames that a latent frame gives: one for the first, ``time`` for each later one.
  func frames(of position: Int) -> Range<Int> {
    position == 0 ? 0..<1 : 1 + time * (position - 1)..<1 + time * position
  }

  /// Frames, rows and columns of the clip of latents [T, h, w, C].
  func extents(of latents: Tensor) -> (frames: Int, height: Int, width: Int) {
    (frames(of: latents.shape[0] - 1).upperBound, latents.shape[1] * space, latents.shape[2] * space)
  }
}
