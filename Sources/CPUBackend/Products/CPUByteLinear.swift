import CKernels
import Synchronization
public import Tensors

/// A matrix [N, K] that is multiplied as bytes.
enum ByteWeight: Sendable {
  /// Bytes, where they were found: a mapped file perhaps.
  case bytes(QuantizedRows)
  /// Codes whose numbers become bytes in every product.
  case codes(CodedMatrix, RowScales)

  var shape: Shape {
    switch self {
    case .bytes(let rows): rows.values.shape
    case .codes(let matrix, _): matrix.shape
    }
  }
}

/// What the rows of codes are multiplied by when they become bytes, found by reading all of them: at the first product,
/// so that loading reads nothing.
final class RowScales: Sendable {
  /// [N] float32 each: what bytes are multiplied by afterwards, and numbers before.
  typealias Values = (scales: Tensor, factors: Tensor)
  private let found = Mutex<Values?>(nil)

  func values(_ find: () -> Values) -> Values {
    found.withLock { found in
      if let found { return found }
      let values = find()
      found = values
      return values
    }
  }
}

/// A linear's weights as bytes. Each product lays its block out anew.
final class CPUByteLinear: PreparedLinear {
  let inputs: Int
  let outputs: Int
  let weight: ByteWeight
  /// [N] float32.
  let bias: Tensor?
  private let backend: CPUBackend

  init(_ weight: ByteWeight, bias: Tensor?, _ backend: CPUBackend) {
    precondition(bias.map { $0.count == weight.shape[0] } ?? true, "linear: bias for weight \(weight.shape)")
    (outputs, inputs) = (weight.shape[0], weight.shape[1])
    self.weight = weight
    self.bias = bias?.converted(to: .f32)
    self.backend = backend
  }

  func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor {
    backend.linear(x, self, activation: activation, output: output)
  }
}

extension CPUBackend {
  /// Outputs of one task: what the kernel lays out at once.
  private static let quantizedColumns = 256
  /// Rows of one task at most, multiples of which the kernel works on.
  private static let quantizedRows = 624
  /// Rows of which tasks take a whole number of groups.
  private static let rowGroup = 96

  /// Bytes and codes as they are stored, other numbers rounded here unless they are streamed.
  func byteWeight(_ matrix: StoredMatrix) -> ByteWeight {
    switch matrix {
    case .scaledRows(let rows): return .bytes(rows)
    case .dense(let weight) where !weight.isStreamed: return .bytes(quantizedRows(weight))
    case .dense(let weight):
      guard let codes = CodedMatrix(weight, decoded: .f32) else { return .bytes(quantizedRows(weight)) }
      return .codes(codes, RowScales())
    case .encoded(let codes):
      guard let matrix = CodedMatrix(codes, decoded: .f32) else { return .bytes(quantizedRows(codes.floats)) }
      return .codes(matrix, RowScales())
    }
  }

  /// The scales of rows of codes, as ``quantizedRows(_:)`` gives them for their numbers.
  private func rowScales(_ matrix: CodedMatrix) -> RowScales.Values {
    let columns = matrix.shape[1]
    let (scales, factors) = (empty([matrix.shape[0]], .f32), empty([matrix.shape[0]], .f32))
    threads.run(matrix.shape[0], grain: CPUBackend.rowGrain(columns)) { range, worker in
      // SAFETY: scratch has room for a row; the range lies in the results, where nobody else writes.
      let numbers = unsafe worker.scratch([columns * MemoryLayout<Float>.size])[0].assumingMemoryBound(to: Float.self)
      for row in range {
        unsafe matrix.decode(rows: row..<row + 1, as: .f32, into: numbers)
        unsafe wan_row_scale(numbers, columns, scales.floats(row), factors.floats(row))
      }
    }
    return (scales, factors)
  }

  public func quantizedRows(_ x: Tensor) -> QuantizedRows {
    precondition(x.shape.rank == 2 && x.dtype.isFloatingPoint, "quantizedRows: \(x.shape) \(x.dtype)")
    let source = x.dtype == .bf16 ? x : cast(x, to: .f32)
    let columns = x.shape[1]
    let rows = QuantizedRows(values: empty(x.shape, .i8), scales: empty([x.shape[0]], .f32))
    let type = source.kernelType("quantizedRows")
    threads.run(x.shape[0], grain: CPUBackend.rowGrain(columns)) { range, _ in
      let first = range.lowerBound
      // SAFETY: the rows of the range lie in the source and in the results, which nobody else writes there.
      unsafe wan_quantize_rows(
        source.address(first * columns), type, rows.values.bytes(first * columns), columns, rows.scales.floats(first),
        nil, range.count, columns)
    }
    x.discardCachedPages()
    return rows
  }

  /// Rows [M, K] as a product takes them.
  private func factors(_ x: Tensor) -> ByteFactors {
    let (rows, columns) = (x.shape[0], x.shape[1])
    let source = x.dtype == .bf16 ? x : x.converted(to: .f32)
    let type = source.kernelType("linear")
    let stride = ByteFactors.stride(columns)
    let result = ByteFactors(
      values: empty([rows, stride], .i8), scales: empty([rows], .f32), sums: empty([rows], .i32))
    threads.run(rows, grain: CPUBackend.rowGrain(columns)) { range, _ in
      let first = range.lowerBound
      // SAFETY: the rows of the range lie in the source and in the results, which nobody else writes there.
      unsafe wan_quantize_rows(
        source.address(first * columns), type, result.values.bytes(first * stride), stride,
        result.scales.floats(first), result.rowSums(first), range.count, columns)
    }
    return result
  }

  /// What rows of bytes are multiplied by, and for codes what makes bytes of their numbers.
  private func scales(of weight: ByteWeight) -> (scales: Tensor, factors: Tensor?) {
    switch weight {
    case .bytes(let rows): return (rows.scales, nil)
    case .codes(let matrix, let scales):
      let values = scales.values { rowScales(matrix) }
      return (values.scales, values.factors)
    }
  }

  /// - Parameter added: products that go onto the sums in float32.
  func linear(
    _ x: Tensor, _ weights: CPUByteLinear, adding added: [AddedProduct] = [], activation: Activation, output: DType
  ) -> Tensor {
    precondition(x.shape.last == weights.inputs, "linear: x \(x.shape) for \(weights.inputs) inputs")
    let rows = x.shape.rows
    let result = empty(x.shape.replacingLast(weights.outputs), output)
    let source = factors(x.reshaped([rows, weights.inputs]))
    let (scales, factors) = scales(of: weights.weight)
    let call = QuantizedProduct(
      x: source, weights: weights, scales: scales, factors: factors, added: added, activation: activation,
      result: result)
    let blocks = (weights.outputs + CPUBackend.quantizedColumns - 1) / CPUBackend.quantizedColumns
    let step = CPUBackend.rowsOfTask(rows, blocks: blocks)
    let bands = (rows + step - 1) / step
    threads.run(blocks * bands) { index, worker in
      // Consecutive tasks share a band, so that threads read the same rows at the same time.
      let (block, band) = (index % blocks, index / blocks)
      let next = (index + threads.count) % blocks
      call.run(
        rows: band * step..<min(rows, (band + 1) * step), columns: CPUBackend.columns(block, of: weights),
        next: CPUBackend.columns(next, of: weights), worker)
    }
    return result
  }

  private static func columns(_ block: Int, of weights: CPUByteLinear) -> Range<Int> {
    block * quantizedColumns..<min(weights.outputs, (block + 1) * quantizedColumns)
  }

  /// Enough tasks for many threads, each with as many rows as it may have: a task lays its weights out once.
  private static func rowsOfTask(_ rows: Int, blocks: Int) -> Int {
    let bands = max((rows + quantizedRows - 1) / quantizedRows, (16 + blocks - 1) / max(1, blocks))
    let even = (rows + bands - 1) / max(1, bands)
    return max(rowGroup, (even + rowGroup - 1) / rowGroup * rowGroup)
  }
}

/// Rows of bytes, laid out for products.
private struct ByteFactors {
  /// [M, stride] int8, of which a row's first K are there.
  let values: Tensor
  /// [M] float32.
  let scales: Tensor
  /// [M] int32, of each row's bytes.
  let sums: Tensor

  /// An odd number of cache lines: rows that all begin in the same place of a page would push each other out.
  static func stride(_ columns: Int) -> Int { (columns + 63) / 64 * 64 | 64 }

  @unsafe
  func rowSums(_ row: Int) -> UnsafeMutablePointer<Int32> {
    unsafe sums.address(row).assumingMemoryBound(to: Int32.self)
  }
}

/// One call of a quantized linear.
private struct QuantizedProduct {
  let x: ByteFactors
  let weights: CPUByteLinear
  /// [N] float32; the second for codes.
  let scales: Tensor
  let factors: Tensor?
  let added: [AddedProduct]
  let activation: Activation
  let result: Tensor

  /// The part of the result that one task computes, and the columns that this thread is likely to take next.
  func run(rows: Range<Int>, columns: Range<Int>, next: Range<Int>, _ worker: Worker) {
    let (depth, first, stride) = (weights.inputs, rows.lowerBound, x.values.shape[1])
    // SAFETY: rows and columns lie in x, the weights and the result, whose part nobody else writes.
    let width = wan_product_columns(columns.count)
    let depthAdded = added.map { $0.weight.shape[1] }.max() ?? 0
    let parts = unsafe worker.scratch(
      [wan_product_i8_scratch_bytes(), rows.count * columns.count * 4]
        + (added.isEmpty
          ? [] : [wan_product_scratch_bytes(columns.count, depthAdded), rows.count * width * MemoryLayout<Float>.size]))
    let sums = unsafe parts[1].assumingMemoryBound(to: Int32.self)
    var product = unsafe wan_product_i8_t()
    unsafe (product.rows, product.rows_stride) = (UnsafePointer(x.values.bytes(first * stride)), stride)
    unsafe (product.row_sums, product.row_count) = (UnsafePointer(x.rowSums(first)), rows.count)
    unsafe (product.dst, product.dst_stride) = (sums, columns.count)
    unsafe (product.columns, product.depth) = (columns.count, depth)
    unsafe multiply(&product, columns, next.count == columns.count ? next : nil, scratch: parts[0])
    let place = unsafe result.address(first * weights.outputs + columns.lowerBound)
    guard !added.isEmpty else {
      unsafe wan_scale_bias_activation(
        sums, columns.count, x.scales.floats(first), scales.floats(columns.lowerBound),
        weights.bias?.floats(columns.lowerBound), place, result.kernelType("linear"), weights.outputs, rows.count,
        columns.count, activation.kernel)
      return
    }
    // The sums in float32, while they are in the cache, then the others onto them.
    let numbers = unsafe parts[3].assumingMemoryBound(to: Float.self)
    unsafe wan_scale_bias_activation(
      sums, columns.count, x.scales.floats(first), scales.floats(columns.lowerBound),
      weights.bias?.floats(columns.lowerBound), numbers, DType.f32.kernelType("linear"), width, rows.count,
      columns.count, Activation.none.kernel)
    for product in added { unsafe product.add(to: numbers, rows: rows, columns: columns, parts[2]) }
    unsafe wan_bias_activation(
      numbers, width, nil, place, result.kernelType("linear"), weights.outputs, rows.count, columns.count,
      activation.kernel)
  }
}

extension QuantizedProduct {
  /// The sums of a product whose rows and results are set, by the weights' bytes or codes.
  @unsafe
  private func multiply(
    _ product: inout wan_product_i8_t, _ columns: Range<Int>, _ next: Range<Int>?, scratch: UnsafeMutableRawPointer
  ) {
    let depth = weights.inputs
    // SAFETY: the columns lie in the weights.
    switch weights.weight {
    case .bytes(let rows):
      unsafe product.weights = UnsafePointer(rows.values.bytes(columns.lowerBound * depth))
      unsafe product.weights_stride = depth
      unsafe product.next_weights = next.map { unsafe UnsafePointer(rows.values.bytes($0.lowerBound * depth)) }
      unsafe wan_product_i8(&product, scratch)
    case .codes(let matrix, _):
      unsafe product.factors = factors.map { unsafe UnsafePointer($0.floats(0)) }
      unsafe (product.codes_row, product.next_codes_row) = (columns.lowerBound, (next ?? columns).lowerBound)
      unsafe matrix.withCodes { codes in
        unsafe product.codes = codes
        unsafe wan_product_i8(&product, scratch)
      }
    }
  }
}

extension Tensor {
  /// The address of an element of an int8 tensor.
  @unsafe
  fileprivate func bytes(_ element: Int) -> UnsafeMutablePointer<Int8> {
    unsafe address(element).assumingMemoryBound(to: Int8.self)
  }
}
