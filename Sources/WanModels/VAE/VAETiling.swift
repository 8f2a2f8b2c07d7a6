/// Into how many parts each frame is cut while it is decoded.
///
/// Every part sees as much of its surroundings as its convolutions reach, so the frames are those of ``whole``; they
/// come after the last part instead of one by one.
public struct VAETiling: Sendable, Hashable, CustomStringConvertible {
  /// Parts along the height and the width, each at least 1 and at most the latents' rows and columns.
  public let rows, columns: Int

  /// Frames decoded in one piece.
  public static let whole = VAETiling(rows: 1, columns: 1)

  /// Traps unless both are at least 1.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 1 && columns >= 1, "tiling: \(rows)x\(columns)")
    (self.rows, self.columns) = (rows, columns)
  }

  /// Parts of a frame.
  public var count: Int { rows * columns }

  /// Rows x columns: "2x3".
  public var description: String { "\(rows)x\(columns)" }
}
