extension ReferenceBackend {
  public func layerNorm(_ x: Tensor, scale: RowTable, shift: RowTable, epsilon: Float, output: DType) -> Tensor {
    precondition(x.shape.rank == 3 && x.dtype == .f32, "layerNorm: x \(x.shape) \(x.dtype) is not [B, L, D] float32")
    let (tokens, width) = (x.shape[1], x.shape[2])
    let scales = TokenRows(scale, tokens: tokens, width: width, operation: "layerNorm scale")
    let shifts = TokenRows(shift, tokens: tokens, width: width, operation: "layerNorm shift")
    let y = rows(of: x) { row, index in
      let mean = row.reduce(0, +) / Double(width)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
      let deviation = (variance + Double(epsilon)).squareRoot()
      let (s, b) = (scales.row(index % tokens), shifts.row(index % tokens))
      return row.indices.map { (row[$0] - mean) / deviation * s[$0] + b[$0] }
    }
    return Tensor(y, shape: x.shape, dtype: output)
  }

  public func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, output: DType) -> Tensor {
    precondition(
      x.shape.rank >= 1 && weight.count == x.shape.last, "rmsNorm: weight \(weight.shape) for x \(x.shape)")
    let weights = weight.floats().map { Double($0) }
    let y = rows(of: x) { row, _ in
      let meanSquare = row.reduce(0) { $0 + $1 * $1 } / Double(row.count)
      let size = (meanSquare + Double(epsilon)).squareRoot()
      return row.indices.map { row[$0] / size * weights[$0] }
    }
    return Tensor(y, shape: x.shape, dtype: output)
  }

  public func channelNorm(_ x: Tensor, gamma: Tensor, activation: Activation) -> Tensor {
    precondition(
      x.shape.rank >= 1 && gamma.count == x.shape.last, "channelNorm: gamma \(gamma.shape) for x \(x.shape)")
    let gammas = gamma.floats().map { Double($0) }
    let y = rows(of: x) { row, _ in
      let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let factor = Double(row.count).squareRoot() / max(length, 1e-12)
      return row.indices.map { ReferenceMath.activate(row[$0] * factor * gammas[$0], activation) }
    }
    return Tensor(y, shape: x.shape, dtype: x.dtype)
  }

  public func rotary(_ x: Tensor, table: Tensor) -> Tensor {
    precondition(x.shape.rank == 4 && x.shape[3] % 2 == 0, "rotary: x \(x.shape) is not [B, L, H, D] with D even")
    let (length, heads, pairs) = (x.shape[1], x.shape[2], x.shape[3] / 2)
    precondition(
      table.shape == [length, pairs, 2] && table.dtype == .f32,
      "rotary: table \(table.shape) \(table.dtype) for x \(x.shape)")
    let angles = table.floats()
    let y = rows(of: x) { row, index in
      let first = index / heads % length * pairs * 2
      return row.indices.map { i in
        let pair = first + i / 2 * 2
        let (cosine, sine) = (Double(angles[pair]), Double(angles[pair + 1]))
        return i % 2 == 0 ? row[i] * cosine - row[i + 1] * sine : row[i - 1] * sine + row[i] * cosine
      }
    }
    return Tensor(y, shape: x.shape, dtype: x.dtype)
  }

  public func addGated(_ y: Tensor, gate: RowTable, to x: inout Tensor) {
    precondition(
      x.shape.rank == 3 && x.dtype == .f32 && y.shape == x.shape,
      "addGated: x \(x.shape) \(x.dtype), y \(y.shape)")
    let (tokens, width) = (x.shape[1], x.shape[2])
    let gates = TokenRows(gate, tokens: tokens, width: width, operation: "addGated gate")
    let added = y.floats()
    let sum = rows(of: x) { row, index in
      let g = gates.row(index % tokens)
      return row.indices.map { row[$0] + Double(added[index * width + $0]) * g[$0] }
    }
    x = Tensor(sum, shape: x.shape)
  }

  /// `body` over each row of the last axis, in order, with the row's index.
  private func rows(of x: Tensor, _ body: (_ row: [Double], _ index: Int) -> [Double]) -> [Float] {
    let values = x.floats()
    var result: [Float] = []
    result.reserveCapacity(values.count)
    for index in 0..<x.shape.rows {
      let row = values[index * x.shape.last..<(index + 1) * x.shape.last].map { Double($0) }
      for value in body(row, index) { result.append(Float(value)) }
    }
    return result
  }
}

/// A row table unrolled to one row per token.
private struct TokenRows {
  private let rows: [[Double]]
  private let rowOfToken: [Int]

  init(_ table: RowTable, tokens: Int, width: Int, operation: String) {
    precondition(
      table.tokens == tokens && table.values.shape[1] == width,
      "\(operation): rows \(table.values.shape) over \(table.tokens) tokens, for \(tokens) tokens of \(width)")
    rows = (0..<table.values.shape[0]).map { table.values[$0].floats().map { Double($0) } }
    rowOfToken = table.rowOfToken
  }

  func row(_ token: Int) -> [Double] { rows[rowOfToken[token]] }
}
