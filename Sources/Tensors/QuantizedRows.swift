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

  /// Traps unless `values` is [rows, K] int8, K at most ``longestRow``, and `scales` [rows] float32.
  public init(values: Tensor, scales: Tensor) {
    precondition(
      values.dtype == .i8 && values.shape.rank == 2 && values.shape[1] <= Self.longestRow
        && scales.dtype == .f32 && scales.shape == [values.shape[0]],
      "quantized rows: values \(values.shape) \(values.dtype), scales \(scales.shape) \(scales.dtype)")
    self.values = values
    self.scales = scales
  }
}
