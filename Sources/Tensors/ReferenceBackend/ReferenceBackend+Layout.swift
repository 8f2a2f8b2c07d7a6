extension ReferenceBackend {
  public func gather(_ table: Tensor, indices: [Int32], output: DType) -> Tensor {
    precondition(table.shape.rank == 2, "gather: table \(table.shape) is not [V, D]")
    precondition(
      indices.allSatisfy { $0 >= 0 && $0 < table.shape[0] }, "gather: an index lies outside a table of \(table.shape)")
    let y = indices.flatMap { table[Int($0)].floats() }
    return Tensor(y, shape: [indices.count, table.shape[1]], dtype: output)
  }

  public func permuted(_ x: Tensor, _ axes: [Int]) -> Tensor {
    precondition(axes.sorted() == Array(0..<x.shape.rank), "permuted: axes \(axes) of x \(x.shape)")
    let shape = Shape(axes.map { x.shape[$0] })
    let strides = axes.map { x.shape.strides[$0] }
    let values = x.floats()
    var y: [Float] = []
    y.reserveCapacity(values.count)
    var index = [Int](repeating: 0, count: axes.count)
    var offset = 0
    for _ in 0..<values.count {
      y.append(values[offset])
      for axis in axes.indices.reversed() {
        index[axis] += 1
        offset += strides[axis]
        if index[axis] < shape[axis] { break }
        offset -= index[axis] * strides[axis]
        index[axis] = 0
      }
    }
    return Tensor(y, shape: shape, dtype: x.dtype)
  }

  public func windowed(_ x: Tensor, _ windows: [AxisWindow]) -> Tensor {
    precondition(
      windows.count == x.shape.rank && zip(windows, x.shape.dimensions).allSatisfy { $0.end <= $1 },
      "windowed: \(windows) of x \(x.shape)")
    let values = x.floats()
    var offsets = [0]
    for (window, stride) in zip(windows, x.shape.strides) {
      offsets = offsets.flatMap { start in
        (0..<window.count).map { start + (window.first + $0 * window.step) * stride }
      }
    }
    return Tensor(offsets.map { values[$0] }, shape: Shape(windows.map(\.count)), dtype: x.dtype)
  }

  public func concatenated(_ tensors: [Tensor]) -> Tensor {
    guard let first = tensors.first else { preconditionFailure("concatenated: no tensors") }
    let inner = first.shape.dimensions.dropFirst()
    precondition(
      tensors.allSatisfy { $0.shape.rank > 0 && $0.shape.dimensions.dropFirst() == inner && $0.dtype == first.dtype },
      "concatenated: \(tensors.map { "\($0.shape) \($0.dtype)" })")
    let outer = tensors.reduce(0) { $0 + $1.shape[0] }
    return Tensor(tensors.flatMap { $0.floats() }, shape: Shape([outer] + inner), dtype: first.dtype)
  }

  public func meanOfGroups(_ x: Tensor, size: Int) -> Tensor {
    precondition(size > 0 && x.shape.last % size == 0, "meanOfGroups: groups of \(size) in x \(x.shape)")
    let values = x.floats()
    let y = (0..<x.count / size).map { group in
      Float(values[group * size..<(group + 1) * size].reduce(0.0) { $0 + Double($1) } / Double(size))
    }
    return Tensor(y, shape: x.shape.replacingLast(x.shape.last / size), dtype: x.dtype)
  }

  public func repeatedElements(_ x: Tensor, count: Int) -> Tensor {
    precondition(x.shape.rank > 0 && count > 0, "repeatedElements: \(count) times, x \(x.shape)")
    let y = x.floats().flatMap { Array(repeating: $0, count: count) }
    return Tensor(y, shape: x.shape.replacingLast(x.shape.last * count), dtype: x.dtype)
  }
}
