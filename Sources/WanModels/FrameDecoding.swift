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

/// A clip being decoded, part by part, by whichever decoder.
public protocol FrameDecoding {
  /// How many parts there are, one for each latent frame of each tile.
  var partCount: Int { get }
  /// How many of them have been decoded.
  var partsDone: Int { get }
  /// Whether frames come as parts that have to be put together.
  var isTiled: Bool { get }
  /// Frames, rows and columns of the whole clip.
  var extents: (frames: Int, height: Int, width: Int) { get }

  /// The frames that a latent frame gives.
  func frames(of position: Int) -> Range<Int>

  /// The next part, or `nil` after the last.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  mutating func next() throws -> DecodedPart?
}

/// Some frames of a clip, or a rectangle of them.
public struct DecodedPart: Sendable {
  /// [n, H, W, 3] float32, where the backend computes.
  public let frames: Tensor
  /// The number of the first of them in the clip, from 0.
  public let first: Int
  /// The pixels that they cover.
  public let region: FrameRegion
}

/// What becomes of numbers outside [-1, 1] in decoded frames.
public enum DecodedValues: Sendable {
  /// They are held at -1 or 1, as published; what is infinite becomes NaN.
  case held
  /// They stay.
  case raw
}
