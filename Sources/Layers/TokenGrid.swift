/// The tokens of a clip in frames, rows and columns; in this order they follow each other in a sequence.
public struct TokenGrid: Sendable, Hashable, Codable {
  /// Latent frames, and rows and columns of patches in each.
  public let time, height, width: Int

  /// A grid of any extents, none negative.
  public init(time: Int, height: Int, width: Int) {
    (self.time, self.height, self.width) = (time, height, width)
  }

  /// Tokens of a frame.
  public var area: Int { height * width }

  /// Tokens in all (L).
  public var count: Int { time * area }
}
