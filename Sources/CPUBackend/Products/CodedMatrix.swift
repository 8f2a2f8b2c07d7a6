import CKernels
import Tensors

/// A matrix [N, K] that products read as its file stores it: the kernels decode the panel that they multiply next, so that
/// no copy of the matrix is made.
struct CodedMatrix: Sendable {
  /// [N, K]
  let shape: Shape
  /// What panels are decoded to: float32 or bfloat16.
  let decoded: DType
  private let coding: wan_coding_t
  /// At least N rows, wherever they were found.
  private let codes: Tensor
  private let rowBytes: Int
  private let scales: Scales?

  /// Factors beside the codes.
  private struct Scales: Sendable {
    let values: Tensor
    /// Elements from one row to the next, and numbers of a row that share a factor.
    let stride, width, count: Int
    let factor: Float
  }

  /// Codes of blocks or small floats; `nil` where their rows or scales do not lie as the kernels read them.
  init?(_ matrix: EncodedMatrix, decoded: DType) {
    guard matrix.shape.rank == 2, matrix.shape[1] == matrix.columns, matrix.codes.storage.isHost else { return nil }
    var scales: Scales?
    if let found = matrix.scales {
      let (rows, count) = (found.values.shape[0], found.values.shape[1])
      guard found.width % CodedMatrix.scaleStep == 0 || count == 1 else { return nil }
      scales = Scales(
        values: found.values, stride: rows == 1 ? 0 : count, width: count == 1 ? CodedMatrix.wholeRow : found.width,
        count: count, factor: found.factor)
    }
    (shape, self.decoded, coding) = (matrix.shape, decoded, matrix.coding.kernelCoding)
    (codes, rowBytes, self.scales) = (matrix.codes, matrix.codes.shape[1], scales)
  }

  /// Rows of bytes with a scale each.
  init(_ rows: QuantizedRows, decoded: DType) {
    (shape, self.decoded, coding) = (rows.values.shape, decoded, WAN_CODES_I8)
    (codes, rowBytes) = (rows.values, rows.values.shape[1])
    scales = Scales(values: rows.scales, stride: 1, width: CodedMatrix.wholeRow, count: 1, factor: 1)
  }

  /// Numbers [N, K] in float32, bfloat16 or halves; `nil` for other types.
  init?(_ numbers: Tensor, decoded: DType) {
    switch numbers.dtype {
    case .f32: coding = WAN_CODES_F32
    case .bf16: coding = WAN_CODES_BF16
    case .f16: coding = WAN_CODES_F16
    default: return nil
    }
    (shape, self.decoded) = (numbers.shape, decoded)
    (codes, rowBytes, scales) = (numbers, numbers.shape[1] * numbers.dtype.byteCount, nil)
  }

  /// What kernels want widths of scales to be multiples of.
  private static let scaleStep = 16
  /// A width that no row exceeds.
  private static let wholeRow = 1 << 40

  /// The matrix as the kernels name it, for as long as the call lasts.
  @unsafe
  func withCodes<R>(_ body: (UnsafePointer<wan_codes_t>) -> R) -> R {
    // SAFETY: the tensors that the addresses lie in are kept by this value.
    var matrix = unsafe wan_codes_t(
      coding: coding, codes: codes.address(0).assumingMemoryBound(to: UInt8.self), row_bytes: rowBytes,
      scales: scales.map { unsafe UnsafePointer($0.values.floats(0)) }, scales_stride: scales?.stride ?? 0,
      scales_width: scales?.width ?? 1, scales_count: scales?.count ?? 1, factor: scales?.factor ?? 1)
    defer { withExtendedLifetime(self) {} }
    return unsafe body(&matrix)
  }

  /// The numbers of some rows, one behind the other; `target` has room for them in float32 or bfloat16.
  @unsafe
  func decode(rows: Range<Int>, as dtype: DType, into target: UnsafeMutableRawPointer) {
    let part = wan_codes_part_t(row: rows.lowerBound, rows: rows.count, first: 0, count: shape[1])
    unsafe withCodes { unsafe wan_decode($0, part, target, dtype.kernelType("decoded"), shape[1]) }
  }

  /// Gives back the memory that the codes' pages hold.
  func discardCachedPages() { codes.discardCachedPages() }
}

extension ElementCoding {
  fileprivate var kernelCoding: wan_coding_t {
    switch self {
    case .e4m3: WAN_CODES_E4M3
    case .e5m2: WAN_CODES_E5M2
    case .e2m1: WAN_CODES_E2M1
    case .q8_0: WAN_CODES_Q8_0
    case .q4_0: WAN_CODES_Q4_0
    case .q4_1: WAN_CODES_Q4_1
    case .q5_0: WAN_CODES_Q5_0
    case .q5_1: WAN_CODES_Q5_1
    case .q2_K: WAN_CODES_Q2_K
    case .q3_K: WAN_CODES_Q3_K
    case .q4_K: WAN_CODES_Q4_K
    case .q5_K: WAN_CODES_Q5_K
    case .q6_K: WAN_CODES_Q6_K
    case .iq4_NL: WAN_CODES_IQ4_NL
    case .iq4_XS: WAN_CODES_IQ4_XS
    }
  }
}

extension CPUBackend {
  /// The numbers of codes in a type that products read, decoded on all threads.
  ///
  /// - Parameter dtype: float32 or bfloat16, rounded to nearest even.
  func decoded(_ matrix: EncodedMatrix, as dtype: DType) -> Tensor {
    precondition(matrix.shape.rank == 2, "linear: weight \(matrix.shape) is not [N, K]")
    // Kernels that are flattened here, stored in rows of another length: small ones.
    guard let coded = CodedMatrix(matrix, decoded: dtype) else { return cast(matrix.floats, to: dtype) }
    let columns = matrix.shape[1]
    let result = empty(matrix.shape, dtype)
    threads.run(matrix.shape[0], grain: CPUBackend.rowGrain(columns)) { range, _ in
      // SAFETY: the rows of the range lie in the result, which nobody else writes there.
      unsafe coded.decode(rows: range, as: dtype, into: result.address(range.lowerBound * columns))
    }
    matrix.codes.discardCachedPages()
    return result
  }

  /// A matrix as products in a precision read it where it lies: where nothing is gained by a copy of it.
  ///
  /// Where oneDNN multiplies, it wants copies in a layout of its own, unless the file is streamed.
  func coded(_ matrix: StoredMatrix, _ precision: Precision) -> CodedMatrix? {
    let decoded: DType = precision == .f32 ? .f32 : .bf16
    if precision == .bf16 && packsBF16 && !matrix.isStreamed { return nil }
    return switch matrix {
    case .encoded(let codes): CodedMatrix(codes, decoded: decoded)
    case .scaledRows(let rows): CodedMatrix(rows, decoded: decoded)
    case .dense(let numbers) where numbers.dtype == .f16: CodedMatrix(numbers, decoded: decoded)
    // Twice the size of what is rounded from it: read in place only where it does not stay.
    case .dense(let numbers) where numbers.dtype == .f32 && precision == .bf16 && matrix.isStreamed:
      CodedMatrix(numbers, decoded: decoded)
    case .dense: nil
    }
  }
}
