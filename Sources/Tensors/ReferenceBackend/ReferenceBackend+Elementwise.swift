extension ReferenceBackend {
  public func combined(_ x: Tensor, _ y: Tensor, _ operation: BinaryOperation) -> Tensor {
    let shape = Shape.combined(x.shape, y.shape)
    let (a, b) = (x.floats(), y.floats())
    let (left, right) = (Broadcast(x.shape, to: shape), Broadcast(y.shape, to: shape))
    var values: [Float] = []
    values.reserveCapacity(shape.count)
    var index = [Int](repeating: 0, count: shape.rank)
    for _ in 0..<shape.count {
      values.append(ReferenceMath.combine(a[left.offset(index)], b[right.offset(index)], operation))
      for axis in index.indices.reversed() {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
      }
    }
    return Tensor(values, shape: shape, dtype: x.dtype)
  }

  public func mapped(_ x: Tensor, _ operation: UnaryOperation) -> Tensor {
    Tensor(x.floats().map { ReferenceMath.map($0, operation) }, shape: x.shape, dtype: x.dtype)
  }

  public func reduced(_ x: Tensor, _ operation: Reduction) -> Tensor {
    let values = x.floats()
    let width = x.shape.last
    precondition(width > 0, "reduced: rows of \(x.shape) are empty")
    let y = (0..<x.shape.rows).map { row in
      ReferenceMath.reduce(values[row * width..<(row + 1) * width], operation)
    }
    return Tensor(y, shape: x.shape.replacingLast(1))
  }

  public func cast(_ x: Tensor, to dtype: DType) -> Tensor {
    x.converted(to: dtype)
  }

  public func clamped(_ x: Tensor, to range: ClosedRange<Float>) -> Tensor {
    let y = x.floats().map { $0.isFinite ? min(max($0, range.lowerBound), range.upperBound) : .nan }
    return Tensor(y, shape: x.shape, dtype: x.dtype)
  }
}

/// Where the elements of a smaller tensor lie that serves a larger shape.
private struct Broadcast {
  /// Of each axis of the larger shape; 0 where one element serves them all.
  private let strides: [Int]

  init(_ shape: Shape, to larger: Shape) {
    let missing = [Int](repeating: 0, count: larger.rank - shape.rank)
    strides = missing + zip(shape.dimensions, shape.strides).map { $0 == 1 ? 0 : $1 }
  }

  func offset(_ index: [Int]) -> Int { zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 } }
}
