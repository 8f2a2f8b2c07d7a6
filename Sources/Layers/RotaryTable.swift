public import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Cosines and sines that turn each pair of a head by an angle that grows with the token's frame, row and column.
///
/// A head of D dimensions gives D - 4 (D / 6) to time and 2 (D / 6) to each of rows and columns; angles are computed
/// in double precision. Source: `rope_params` and `rope_apply` of the published `model.py`.
public struct RotaryTable: Sendable {
  /// [L, D / 2, 2] float32: cosine, sine.
  public let values: Tensor

  /// - Parameters:
  ///   - headDimension: D, even.
  ///   - grid: L is its count.
  ///   - backend: where the table will be used.
  public init(headDimension: Int, grid: TokenGrid, theta: Double = 10_000, on backend: any Backend) {
    let side = 2 * (headDimension / 6)
    let inTime = Self.turns(positions: grid.time, dimension: headDimension - 2 * side, theta: theta)
    let inHeight = Self.turns(positions: grid.height, dimension: side, theta: theta)
    let inWidth = Self.turns(positions: grid.width, dimension: side, theta: theta)
    var table: [Float] = []
    table.reserveCapacity(grid.count * headDimension)
    for t in inTime {
      for y in inHeight {
        for x in inWidth { table += t + y + x }
      }
    }
    values = backend.tensor(table, [grid.count, headDimension / 2, 2])
  }

  /// Cosine and sine of position / theta^(2i / dimension) for each position and pair, interleaved.
  private static func turns(positions: Int, dimension: Int, theta: Double) -> [[Float]] {
    (0..<positions).map { position in
      stride(from: 0, to: dimension, by: 2).flatMap { i in
        let angle = Double(position) / pow(theta, Double(i) / Double(dimension))
        return [Float(cos(angle)), Float(sin(angle))]
      }
    }
  }
}

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
