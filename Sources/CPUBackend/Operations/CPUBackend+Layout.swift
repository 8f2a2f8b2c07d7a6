public import Tensors

extension CPUBackend {
  public func gather(_ table: Tensor, indices: [Int32], output: DType) -> Tensor {
    precondition(table.shape.rank == 2, "gather: the table is [V, D], not \(table.shape)")
    precondition(
      indices.allSatisfy { $0 >= 0 && Int($0) < table.shape[0] }, "gather: an index outside of \(table.shape)")
    let columns = table.shape[1]
    let result = empty([indices.count, columns], output)
    let direct = table.dtype == .f32 || table.dtype == .bf16
    threads.run(indices.count, grain: CPUBackend.rowGrain(columns)) { rows, _ in
      for row in rows {
        let source = table[Int(indices[row])]
        let known = direct ? source : source.converted(to: .f32)
        // SAFETY: a row of the table and a row of the result have the same count.
        unsafe convert(known.pointer, known.dtype, result.address(row * columns), output, columns)
      }
    }
    return result
  }

  public func permuted(_ x: Tensor, _ axes: [Int]) -> Tensor {
    precondition(axes.sorted() == Array(0..<x.shape.rank), "permuted: axes \(axes) of \(x.shape)")
    let result = empty(Shape(axes.map { x.shape[$0] }), x.dtype)
    guard x.count > 0 else { return result }
    copy(x, along: StridedWalk(x.shape, axes), to: result)
    return result
  }

  /// Copies some of x's elements, all inside of it, to a tensor that holds as many.
  func copy(_ x: Tensor, along walk: StridedWalk, to result: Tensor) {
    threads.run(walk.rows, grain: CPUBackend.rowGrain(walk.columns)) { rows, _ in
      // SAFETY: the walk stays inside both tensors, and each row of the result has one writer.
      switch x.dtype.byteCount {
      case 1: unsafe walk.copy(rows, x.pointer, result.pointer, as: UInt8.self)
      case 2: unsafe walk.copy(rows, x.pointer, result.pointer, as: UInt16.self)
      case 4: unsafe walk.copy(rows, x.pointer, result.pointer, as: UInt32.self)
      default: unsafe walk.copy(rows, x.pointer, result.pointer, as: UInt64.self)
      }
    }
  }

  public func concatenated(_ tensors: [Tensor]) -> Tensor {
    guard let first = tensors.first else { preconditionFailure("concatenated: no tensors") }
    let inner = first.shape.dimensions.dropFirst()
    precondition(
      tensors.allSatisfy { $0.dtype == first.dtype && $0.shape.rank > 0 && $0.shape.dimensions.dropFirst() == inner },
      "concatenated: \(tensors.map { "\($0.shape) \($0.dtype.rawValue)" }.joined(separator: ", "))")
    let result = empty(Shape([tensors.reduce(0) { $0 + $1.shape[0] }] + inner), first.dtype)
    var pieces: [(source: Tensor, start: Int, count: Int, target: Int)] = []
    var target = 0
    for tensor in tensors {
      for start in stride(from: 0, to: tensor.byteCount, by: CPUBackend.grain * 4) {
        pieces.append((tensor, start, min(CPUBackend.grain * 4, tensor.byteCount - start), target + start))
      }
      target += tensor.byteCount
    }
    threads.run(pieces.count) { index, _ in
      let piece = pieces[index]
      // SAFETY: the stretch lies in its tensor, and the result has room for all of them in a row.
      unsafe (result.pointer + piece.target).copyMemory(
        from: piece.source.pointer + piece.start, byteCount: piece.count)
    }
    return result
  }

  public func repeatedElements(_ x: Tensor, count: Int) -> Tensor {
    precondition(count >= 0, "repeatedElements: \(count) times")
    let result = empty(x.shape.replacingLast(x.shape.last * count), x.dtype)
    threads.run(x.count, grain: max(1, CPUBackend.grain / max(1, count))) { range, _ in
      // SAFETY: the result has `count` elements for each of x's, and the range lies in x.
      switch x.dtype.byteCount {
      case 1: unsafe repeatElements(x.pointer, result.pointer, range, count, as: UInt8.self)
      case 2: unsafe repeatElements(x.pointer, result.pointer, range, count, as: UInt16.self)
      case 4: unsafe repeatElements(x.pointer, result.pointer, range, count, as: UInt32.self)
      default: unsafe repeatElements(x.pointer, result.pointer, range, count, as: UInt64.self)
      }
    }
    return result
  }
}

@unsafe
private func repeatElements<Element: BitwiseCopyable>(
  _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ range: Range<Int>, _ count: Int,
  as type: Element.Type
) {
  let source = unsafe source.assumingMemoryBound(to: Element.self)
  let target = unsafe target.assumingMemoryBound(to: Element.self)
  for index in range {
    let element = unsafe source[index]
    for copy in index * count..<(index + 1) * count { unsafe target[copy] = element }
  }
}
