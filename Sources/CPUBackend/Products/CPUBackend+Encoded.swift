import Tensors

extension CPUBackend {
  /// The numbers of codes in a type that products read, decoded on all threads.
  ///
  /// - Parameter dtype: float32 or bfloat16, rounded to nearest even.
  func decoded(_ matrix: EncodedMatrix, as dtype: DType) -> Tensor {
    precondition(matrix.shape.rank == 2, "linear: weight \(matrix.shape) is not [N, K]")
    let columns = matrix.shape[1]
    // Kernels that are flattened here, stored in rows of another length: small ones.
    if matrix.columns != columns { return cast(matrix.floats, to: dtype) }
    let result = empty(matrix.shape, dtype)
    threads.run(matrix.shape[0], grain: CPUBackend.rowGrain(columns)) { range, _ in
      let count = range.count * columns
      let first = range.lowerBound * columns
      if dtype == .f32 {
        // SAFETY: the rows of the range lie in the result, which nobody else writes there.
        var numbers = unsafe MutableSpan(_unsafeStart: result.floats(first), count: count)
        matrix.decode(rows: range, into: &numbers)
        return
      }
      if self.lookUp(matrix, range, into: result) { return }
      var numbers = [Float](repeating: 0, count: count)
      var span = numbers.mutableSpan
      matrix.decode(rows: range, into: &span)
      let bits = unsafe result.address(first).assumingMemoryBound(to: UInt16.self)
      unsafe numbers.withUnsafeBufferPointer { numbers in
        // SAFETY: both have as many elements as the range's rows.
        for i in 0..<count { unsafe bits[i] = unsafe BFloat16.round(numbers[i]) }
      }
    }
    matrix.codes.discardCachedPages()
    return result
  }

  /// Takes bfloat16 numbers out of a table of 256, where codes are bytes; false where they are not.
  private func lookUp(_ matrix: EncodedMatrix, _ rows: Range<Int>, into result: Tensor) -> Bool {
    let columns = matrix.shape[1]
    guard var table = matrix.table(ofRow: rows.lowerBound)?.map(BFloat16.round) else { return false }
    for row in rows {
      if !matrix.hasOneTable, let own = matrix.table(ofRow: row) { table = own.map(BFloat16.round) }
      let codes = unsafe matrix.codes.address(row * matrix.codes.shape[1]).assumingMemoryBound(to: UInt8.self)
      let bits = unsafe result.address(row * columns).assumingMemoryBound(to: UInt16.self)
      unsafe table.withUnsafeBufferPointer { table in
        // SAFETY: the row lies in both; a byte is an index of 256 numbers.
        for i in 0..<columns { unsafe bits[i] = unsafe table[Int(codes[i])] }
      }
    }
    return true
  }
}
