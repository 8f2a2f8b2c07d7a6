public import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Primitives that no network's time depends on: plain loops over rows of float32, shared out to the threads.

extension CPUBackend {
  /// `body` over stretches of x's elements in float32, each written back in x's type.
  func rowwise(_ x: Tensor, _ body: (inout MutableSpan<Float>) -> Void) -> Tensor {
    let result = empty(x.shape, x.dtype)
    threads.run(x.count, grain: CPUBackend.grain) { range, worker in
      // SAFETY: both tensors have the same count, the range lies in it, and scratch is the worker's.
      let row = unsafe worker.scratch(range.count * 4).assumingMemoryBound(to: Float.self)
      unsafe convert(x.address(range.lowerBound), x.dtype, row, .f32, range.count)
      var span = unsafe MutableSpan(_unsafeStart: row, count: range.count)
      body(&span)
      unsafe convert(row, .f32, result.address(range.lowerBound), x.dtype, range.count)
    }
    return result
  }

  /// Element by element where one side serves several elements of the other.
  func broadcast(_ x: Tensor, _ y: Tensor, _ operation: BinaryOperation) -> Tensor {
    let shape = Shape.combined(x.shape, y.shape)
    let result = empty(shape, x.dtype)
    let (left, right) = (BroadcastRows(x, to: shape), BroadcastRows(y, to: shape))
    let columns = shape.last
    threads.run(shape.rows, grain: CPUBackend.rowGrain(columns)) { rows, worker in
      // SAFETY: each row lies in its tensor, and the scratch is the worker's and has room for two rows.
      let parts = unsafe worker.scratch([columns * 4, columns * 4])
      let a = unsafe parts[0].assumingMemoryBound(to: Float.self)
      let b = unsafe parts[1].assumingMemoryBound(to: Float.self)
      for row in rows {
        unsafe left.read(row, into: a)
        unsafe right.read(row, into: b)
        unsafe operation.apply(a, b, columns)
        unsafe convert(a, .f32, result.address(row * columns), x.dtype, columns)
      }
    }
    return result
  }

  public func reduced(_ x: Tensor, _ operation: Reduction) -> Tensor {
    let columns = x.shape.last
    precondition(columns > 0, "reduced: rows of \(x.shape) are empty")
    let result = empty(x.shape.replacingLast(1), .f32)
    threads.run(x.shape.rows, grain: CPUBackend.rowGrain(columns)) { rows, worker in
      // SAFETY: each row lies in x, the scratch is the worker's, and the result has an element for each row.
      let row = unsafe worker.scratch(columns * 4).assumingMemoryBound(to: Float.self)
      for index in rows {
        unsafe convert(x.address(index * columns), x.dtype, row, .f32, columns)
        unsafe result.floats(index).pointee = operation.of(UnsafeBufferPointer(start: row, count: columns))
      }
    }
    return result
  }

  public func windowed(_ x: Tensor, _ windows: [AxisWindow]) -> Tensor {
    precondition(
      windows.count == x.shape.rank && zip(windows, x.shape.dimensions).allSatisfy { $0.end <= $1 },
      "windowed: \(windows) of \(x.shape)")
    let result = empty(Shape(windows.map(\.count)), x.dtype)
    guard result.count > 0 else { return result }
    copy(x, along: StridedWalk(windows, of: x.shape), to: result)
    return result
  }
}

/// The rows that a smaller tensor gives to a larger shape.
private struct BroadcastRows {
  private let tensor: Tensor
  /// Extents of the larger shape's rows, and the tensor's step along each; 0 where one row serves them all.
  private let extents, steps: [Int]
  /// Elements of a row, and whether one element fills it.
  private let columns: Int
  private let isConstant: Bool

  init(_ tensor: Tensor, to larger: Shape) {
    precondition(tensor.dtype == .f32 || tensor.dtype == .bf16, "combined: F32 or BF16, not \(tensor.dtype.rawValue)")
    self.tensor = tensor
    let missing = [Int](repeating: 0, count: larger.rank - tensor.shape.rank)
    let steps = missing + zip(tensor.shape.dimensions, tensor.shape.strides).map { $0 == 1 ? 0 : $1 }
    self.steps = Array(steps.dropLast())
    extents = Array(larger.dimensions.dropLast())
    columns = larger.last
    isConstant = steps.last.map { $0 == 0 } ?? true
  }

  @unsafe
  func read(_ row: Int, into target: UnsafeMutablePointer<Float>) {
    var (rest, offset) = (row, 0)
    for axis in extents.indices.reversed() {
      offset += rest % extents[axis] * steps[axis]
      rest /= extents[axis]
    }
    unsafe convert(tensor.address(offset), tensor.dtype, target, .f32, isConstant ? 1 : columns)
    if isConstant {
      for i in stride(from: 1, to: columns, by: 1) { unsafe target[i] = target[0] }
    }
  }
}

extension BinaryOperation {
  /// a = operation(a, b)
  @unsafe
  fileprivate func apply(_ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, _ count: Int) {
    switch self {
    case .add: for i in 0..<count { unsafe a[i] += b[i] }
    case .subtract: for i in 0..<count { unsafe a[i] -= b[i] }
    case .multiply: for i in 0..<count { unsafe a[i] *= b[i] }
    case .divide: for i in 0..<count { unsafe a[i] /= b[i] }
    case .maximum: for i in 0..<count { unsafe a[i] = a[i].isNaN || b[i].isNaN ? .nan : max(a[i], b[i]) }
    case .minimum: for i in 0..<count { unsafe a[i] = a[i].isNaN || b[i].isNaN ? .nan : min(a[i], b[i]) }
    }
  }
}

extension Reduction {
  /// Sums run in float64, so that their order does not show.
  @unsafe
  fileprivate func of(_ row: UnsafeBufferPointer<Float>) -> Float {
    switch self {
    case .sum: Float(unsafe row.reduce(0.0) { $0 + Double($1) })
    case .mean: Float(unsafe row.reduce(0.0) { $0 + Double($1) } / Double(row.count))
    case .maximum: unsafe row.reduce(-.infinity) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    }
  }
}

/// The C library's e^x.
func exponential(_ x: Float) -> Float { expf(x) }
