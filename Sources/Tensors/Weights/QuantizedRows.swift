/// Rows of bytes with a scale each: element k of row r stands for `values[r, k] * scales[r]`.
///
/// Symmetric: scale = max |x| / 127, value = x * (127 / max |x|) rounded to nearest even, in float32. A row whose
/// numbers are all smaller than 2^-100 is zeros with scale 0; one that holds a NaN or an infinity is zeros with scale
/// NaN, so that everything computed from it is NaN.
public struct QuantizedRows: Sendable {
  /// [rows, K] int8.
  public let values: Tensor
  /// [rows] float32.
  public let scales: Tensor

  /// The longest row: a sum of so many products fits in 32 bits.
  public static let longestRow = 131_072

  /// What a checkpoint adds to a matrix's name for the name of its scales.
  public static let scaleSuffix = "_scale"

  /// Traps unless `values` is [rows, K] int8, K at most ``longestRow``, and `scales` [rows] float32.
  public init(values: Tensor, scales: Tensor) {
    precondition(
      values.dtype == .i8 && values.shape.rank == 2 && values.shape[1] <= Self.longestRow
        && scales.dtype == .f32 && scales.shape == [values.shape[0]],
      "quantized rows: values \(values.shape) \(values.dtype), scales \(scales.shape) \(scales.dtype)")
    self.values = values
    self.scales = scales
  }

  /// The rows of a matrix [rows, K] of any floating type in host memory, rounded.
  public init(rounding matrix: Tensor) {
    precondition(matrix.shape.rank == 2 && matrix.dtype.isFloatingPoint, "rows: \(matrix.shape) \(matrix.dtype)")
    let columns = matrix.shape[1]
    let numbers = matrix.floats()
    var scales: [Float] = []
    let values = Tensor.filled(shape: matrix.shape, dtype: .i8, as: Int8.self) { values in
      for start in stride(from: 0, to: matrix.shape[0] * columns, by: max(1, columns)) {
        let row = numbers[start..<start + columns]
        let scale = Self.scale(of: row)
        scales.append(scale.kept)
        guard scale.factor != 0 else { continue }
        for i in row.indices { values[i] = Int8((row[i] * scale.factor).rounded(.toNearestOrEven)) }
      }
    }
    if columns == 0 { scales = Array(repeating: 0, count: matrix.shape[0]) }
    self.init(values: values, scales: Tensor(scales, shape: [matrix.shape[0]]))
  }

  /// Numbers below this count as zero.
  private static let least: Float = 0x1p-100

  /// What a row's bytes are multiplied by afterwards, and its numbers before; the latter 0 for a row of zeros.
  private static func scale(of row: ArraySlice<Float>) -> (kept: Float, factor: Float) {
    guard row.allSatisfy(\.isFinite) else { return (.nan, 0) }
    let largest = row.reduce(0) { max($0, $1.magnitude) }
    return largest >= least ? (largest / 127, 127 / largest) : (0, 0)
  }

  /// The numbers that the bytes stand for, [rows, K] float32.
  public var floats: Tensor {
    let columns = values.shape[1]
    return Tensor.filled(shape: values.shape) { numbers in
      values.withSpan(of: Int8.self) { values in
        scales.withSpan(of: Float.self) { scales in
          for i in 0..<numbers.count { numbers[i] = Float(values[i]) * scales[i / columns] }
        }
      }
    }
  }
}
