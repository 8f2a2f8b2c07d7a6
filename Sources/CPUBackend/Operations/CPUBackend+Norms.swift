import CKernels
public import Tensors

extension CPUBackend {
  public func layerNorm(_ x: Tensor, scale: RowTable, shift: RowTable, epsilon: Float, output: DType) -> Tensor {
    precondition(x.dtype == .f32 && x.shape.rank == 3, "layerNorm: x is [B, L, D] F32, not \(x.shape) \(x.dtype)")
    let columns = x.shape.last
    check(scale, against: x, "layerNorm")
    check(shift, against: x, "layerNorm")
    precondition(scale.runs == shift.runs, "layerNorm: scale and shift have the same runs")
    let type = output.kernelType("layerNorm")
    let result = empty(x.shape, output)
    forEachRun(of: scale, x.shape) { start, count, row in
      // SAFETY: the rows lie in x and in the result, the row in both tables.
      unsafe wan_layer_norm(
        x.floats(start * columns), scale.values.floats(row * columns), shift.values.floats(row * columns),
        result.address(start * columns), type, count, columns, epsilon)
    }
    return result
  }

  public func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, output: DType) -> Tensor {
    let columns = x.shape.last
    check(weight, columns, "rmsNorm")
    let (type, outputType) = (x.kernelType("rmsNorm"), output.kernelType("rmsNorm"))
    let result = empty(x.shape, output)
    threads.run(x.shape.rows, grain: CPUBackend.rowGrain(columns)) { rows, _ in
      let start = rows.lowerBound * columns
      // SAFETY: the rows lie in both tensors, and the weight has a row's count.
      unsafe wan_rms_norm(
        x.address(start), type, weight.floats(0), result.address(start), outputType, rows.count, columns, epsilon)
    }
    return result
  }

  public func channelNorm(_ x: Tensor, gamma: Tensor, activation: Activation) -> Tensor {
    let columns = x.shape.last
    check(gamma, columns, "channelNorm")
    let type = x.kernelType("channelNorm")
    let result = empty(x.shape, x.dtype)
    threads.run(x.shape.rows, grain: CPUBackend.rowGrain(columns)) { rows, _ in
      let start = rows.lowerBound * columns
      // SAFETY: the rows lie in both tensors, and gamma has a row's count.
      unsafe wan_channel_norm(
        x.address(start), type, gamma.floats(0), result.address(start), rows.count, columns, activation.kernel)
    }
    return result
  }

  public func rotary(_ x: Tensor, table: Tensor) -> Tensor {
    let (heads, dimension) = checkRotary(x, table, "rotary")
    let type = x.kernelType("rotary")
    let result = empty(x.shape, x.dtype)
    forEachToken(of: x) { start, count, token in
      // SAFETY: the rows lie in both tensors, their tokens in the table.
      unsafe wan_rotary(
        x.address(start * heads * dimension), type, table.floats(token * dimension),
        result.address(start * heads * dimension), count, heads, dimension)
    }
    return result
  }

  public func rmsNormRotary(_ x: Tensor, weight: Tensor, epsilon: Float, table: Tensor) -> Tensor {
    let (heads, dimension) = checkRotary(x, table, "rmsNormRotary")
    check(weight, heads * dimension, "rmsNormRotary")
    let type = x.kernelType("rmsNormRotary")
    let result = empty(x.shape, x.dtype)
    forEachToken(of: x) { start, count, token in
      // SAFETY: the rows lie in both tensors, their tokens in the table, and the weight has a row's count.
      unsafe wan_rms_norm_rotary(
        x.address(start * heads * dimension), type, weight.floats(0), table.floats(token * dimension),
        result.address(start * heads * dimension), count, heads, dimension, epsilon)
    }
    return result
  }

  public func addGated(_ y: Tensor, gate: RowTable, to x: inout Tensor) {
    precondition(
      x.dtype == .f32 && x.shape.rank == 3 && x.shape == y.shape,
      "addGated: x is [B, L, D] F32 and y its shape, not \(x.shape) \(x.dtype), \(y.shape)")
    check(gate, against: x, "addGated")
    let columns = x.shape.last
    let type = y.kernelType("addGated")
    if !x.isUniquelyReferenced() { x = copy(x) }
    let target = x
    forEachRun(of: gate, x.shape) { start, count, row in
      // SAFETY: the rows lie in both tensors and the row in the table; x was this call's alone when it began.
      unsafe wan_add_gated(
        target.floats(start * columns), y.address(start * columns), type, gate.values.floats(row * columns), count,
        columns)
    }
  }

  /// The elements in memory of their own.
  func copy(_ x: Tensor) -> Tensor {
    let result = empty(x.shape, x.dtype)
    threads.run(x.byteCount, grain: CPUBackend.grain * 4) { range, _ in
      // SAFETY: both tensors have the same bytes, and the range lies in them.
      unsafe (result.pointer + range.lowerBound).copyMemory(from: x.pointer + range.lowerBound, byteCount: range.count)
    }
    return result
  }

  /// Calls `body` with stretches of rows that share a row of the table: first row of x, rows, row of the table.
  private func forEachRun(of table: RowTable, _ shape: Shape, _ body: (Int, Int, Int) -> Void) {
    let grain = CPUBackend.rowGrain(shape.last)
    var pieces: [(start: Int, count: Int, row: Int)] = []
    var start = 0
    for _ in 0..<shape[0] {
      for run in table.runs {
        for offset in stride(from: 0, to: run.count, by: grain) {
          pieces.append((start + offset, min(grain, run.count - offset), run.row))
        }
        start += run.count
      }
    }
    threads.run(pieces.count) { index, _ in body(pieces[index].start, pieces[index].count, pieces[index].row) }
  }

  /// Calls `body` with stretches of rows of [B, L, H, D] within a batch item: first row of x, rows, first token.
  private func forEachToken(of x: Tensor, _ body: (Int, Int, Int) -> Void) {
    let (batch, length) = (x.shape[0], x.shape[1])
    let grain = CPUBackend.rowGrain(x.shape[2] * x.shape[3])
    let pieces = (length + grain - 1) / grain
    threads.run(batch * pieces) { index, _ in
      let (item, token) = (index / pieces, index % pieces * grain)
      body(item * length + token, min(grain, length - token), token)
    }
  }

  private func check(_ table: RowTable, against x: Tensor, _ operation: StaticString) {
    precondition(
      table.values.shape[1] == x.shape.last && table.tokens == x.shape[1],
      "\(operation): rows \(table.values.shape) over \(table.tokens) tokens for \(x.shape)")
  }

  private func check(_ weight: Tensor, _ columns: Int, _ operation: StaticString) {
    precondition(
      weight.dtype == .f32 && weight.count == columns,
      "\(operation): the weight is [\(columns)] F32, not \(weight.shape) \(weight.dtype)")
  }

  private func checkRotary(_ x: Tensor, _ table: Tensor, _ operation: StaticString) -> (heads: Int, dimension: Int) {
    precondition(x.shape.rank == 4 && x.shape[3] % 2 == 0, "\(operation): x is [B, L, H, D], D even, not \(x.shape)")
    precondition(
      table.dtype == .f32 && table.count == x.shape[1] * x.shape[3],
      "\(operation): the table of \(x.shape) is [L, D/2, 2] F32, not \(table.shape) \(table.dtype)")
    return (x.shape[2], x.shape[3])
  }
}
