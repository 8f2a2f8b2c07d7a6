/// A rectangle of a frame, in pixels of the frame as it is at one level of the decoder.
public struct FrameRegion: Sendable, Hashable {
  /// Half-open, from the frame's top left corner.
  public let rows, columns: Range<Int>

  /// All of a frame.
  package init(height: Int, width: Int) {
    self.init(rows: 0..<height, columns: 0..<width)
  }

  /// A rectangle of one's own.
  package init(rows: Range<Int>, columns: Range<Int>) {
    (self.rows, self.columns) = (rows, columns)
  }

  package var pixels: Int { rows.count * columns.count }

  /// The same rectangle of a frame that has been enlarged.
  package func scaled(by factor: Int) -> FrameRegion { mapped { $0.lowerBound * factor..<$0.upperBound * factor } }

  /// What convolutions that reach `radius` pixels far read in order to give this region.
  func grown(by radius: Int, inside frame: FrameRegion) -> FrameRegion {
    mapped { $0.lowerBound - radius..<$0.upperBound + radius }.clamped(to: frame)
  }

  /// The smallest region around this one that begins and ends between squares of pixels, or at the frame's edge.
  func aligned(to square: Int, inside frame: FrameRegion) -> FrameRegion {
    mapped { $0.lowerBound / square * square..<($0.upperBound + square - 1) / square * square }.clamped(to: frame)
  }

  /// What a 3x3 convolution over the doubled frame reads of the small one in order to give this region.
  func beforeDoubling(inside frame: FrameRegion) -> FrameRegion {
    mapped { ($0.lowerBound - 1) >> 1..<$0.upperBound / 2 + 1 }.clamped(to: frame)
  }

  private func mapped(_ f: (Range<Int>) -> Range<Int>) -> FrameRegion {
    FrameRegion(rows: f(rows), columns: f(columns))
  }

  private func clamped(to frame: FrameRegion) -> FrameRegion {
    FrameRegion(rows: rows.clamped(to: frame.rows), columns: columns.clamped(to: frame.columns))
  }
}
