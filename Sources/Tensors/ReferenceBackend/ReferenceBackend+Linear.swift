/// A linear in plain loops, over rows of float32 already rounded to the precision of the product.
private final class ReferenceLinear: PreparedLinear {
  let inputs, outputs: Int
  private let precision: Precision
  private let weight: [Float]  // [N, K]
  private let bias: [Float]?  // [N]

  init(_ weight: Tensor, bias: Tensor?, precision: Precision) {
    (outputs, inputs) = (weight.shape[0], weight.shape[1])
    self.precision = precision
    self.weight = ReferenceMath.rounded(weight.floats(), to: precision)
    self.bias = bias?.floats()
  }

  func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor {
    precondition(x.shape.rank >= 1 && x.shape.last == inputs, "linear: x \(x.shape) for \(inputs) inputs")
    let values = ReferenceMath.rounded(x.floats(), to: precision)
    var y: [Float] = []
    y.reserveCapacity(x.shape.rows * outputs)
    for row in 0..<x.shape.rows {
      for n in 0..<outputs {
        let sum = ReferenceMath.dot(values, from: row * inputs, weight, from: n * inputs, count: inputs)
        y.append(Float(ReferenceMath.activate(sum + Double(bias?[n] ?? 0), activation)))
      }
    }
    return Tensor(y, shape: x.shape.replacingLast(outputs), dtype: output)
  }
}

/// A linear of bytes: sums are exact, each scaled by its row's and its output's scale.
private final class ReferenceByteLinear: PreparedLinear {
  let inputs, outputs: Int
  private let values: [Int8]  // [N, K]
  private let scales: [Float]  // [N]
  private let bias: [Float]?  // [N]

  init(_ weight: QuantizedRows, bias: Tensor?) {
    (outputs, inputs) = (weight.values.shape[0], weight.values.shape[1])
    values = weight.values.bytes8
    scales = weight.scales.floats()
    self.bias = bias?.floats()
  }

  func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor {
    precondition(x.shape.rank >= 1 && x.shape.last == inputs, "linear: x \(x.shape) for \(inputs) inputs")
    let rows = QuantizedRows(rounding: x.reshaped([x.shape.rows, inputs]))
    let (bytes, rowScales) = (rows.values.bytes8, rows.scales.floats())
    var y: [Float] = []
    y.reserveCapacity(rowScales.count * outputs)
    for (row, scale) in rowScales.enumerated() {
      for n in 0..<outputs {
        var sum: Int32 = 0
        for k in 0..<inputs { sum += Int32(bytes[row * inputs + k]) * Int32(values[n * inputs + k]) }
        let product = Float(sum) * scale * scales[n] + (bias?[n] ?? 0)
        y.append(Float(ReferenceMath.activate(Double(product), activation)))
      }
    }
    return Tensor(y, shape: x.shape.replacingLast(outputs), dtype: output)
  }
}

extension ReferenceBackend {
  public func prepare(_ matrix: StoredMatrix, bias: Tensor?, precision: Precision) -> any PreparedLinear {
    precondition(matrix.shape.rank == 2, "linear: weight \(matrix.shape) is not [N, K]")
    precondition(
      bias.map { $0.count == matrix.shape[0] } ?? true, "linear: bias \(bias?.shape ?? []) for \(matrix.shape)")
    switch (matrix, precision) {
    case (.scaledRows(let rows), .int8): return ReferenceByteLinear(rows, bias: bias)
    case (_, .int8): return ReferenceByteLinear(QuantizedRows(rounding: matrix.dense), bias: bias)
    case (_, .f32), (_, .bf16): return ReferenceLinear(matrix.dense, bias: bias, precision: precision)
    }
  }

  public func product(_ x: Tensor, _ y: Tensor) -> Tensor {
    Shape.checkProduct(x, y)
    let rank = x.shape.rank
    let (m, n, k) = (x.shape[rank - 2], y.shape[rank - 2], x.shape.last)
    let (a, b) = (x.floats(), y.floats())
    var result: [Float] = []
    for item in 0..<x.shape.dimensions.dropLast(2).reduce(1, *) {
      for row in 0..<m {
        for column in 0..<n {
          result.append(
            Float(ReferenceMath.dot(a, from: (item * m + row) * k, b, from: (item * n + column) * k, count: k)))
        }
      }
    }
    return Tensor(result, shape: x.shape.replacingLast(n))
  }
}

extension Tensor {
  /// The elements of an int8 tensor.
  fileprivate var bytes8: [Int8] {
    withSpan(of: Int8.self) { span in span.indices.map { span[$0] } }
  }
}
