/// Weights of a linear as bytes with a scale per output.
final class ReferenceQuantizedWeights: LinearWeights {
  let inputs: Int
  let outputs: Int
  let values: [Int8]  // [N, K]
  let scales: [Float]  // [N]
  let bias: [Float]?  // [N]

  init(_ weight: QuantizedRows, bias: Tensor?) {
    precondition(
      bias.map { $0.count == weight.scales.count } ?? true,
      "prepareLinear: bias \(bias?.shape ?? []) for weight \(weight.values.shape)")
    (outputs, inputs) = (weight.values.shape[0], weight.values.shape[1])
    values = weight.values.bytes8
    scales = weight.scales.floats()
    self.bias = bias?.floats()
  }
}

extension ReferenceBackend {
  public func prepareLinear(_ weight: QuantizedRows, bias: Tensor?) -> any LinearWeights {
    ReferenceQuantizedWeights(weight, bias: bias)
  }

  public func quantizedRows(_ x: Tensor) -> QuantizedRows {
    precondition(x.shape.rank == 2 && x.dtype.isFloatingPoint, "quantizedRows: \(x.shape) \(x.dtype)")
    let (rows, columns) = (x.shape[0], x.shape[1])
    let numbers = x.floats()
    var scales: [Float] = []
    var bytes: [Int8] = []
    for row in 0..<rows {
      let (scale, values) = ReferenceMath.quantized(numbers[row * columns..<(row + 1) * columns])
      scales.append(scale)
      bytes += values
    }
    let values = Tensor.filled(shape: x.shape, dtype: .i8, as: Int8.self) { span in
      for i in bytes.indices { span[i] = bytes[i] }
    }
    return QuantizedRows(values: values, scales: Tensor(scales, shape: [rows]))
  }

  func quantizedLinear(
    _ x: Tensor, _ w: ReferenceQuantizedWeights, activation: Activation, output: DType
  ) -> Tensor {
    precondition(x.shape.rank >= 1 && x.shape.last == w.inputs, "linear: x \(x.shape) for \(w.inputs) inputs")
    let rows = quantizedRows(x.reshaped([x.shape.rows, w.inputs]))
    let (values, scales) = (rows.values.bytes8, rows.scales.floats())
    var y: [Float] = []
    y.reserveCapacity(scales.count * w.outputs)
    for (row, scale) in scales.enumerated() {
      for n in 0..<w.outputs {
        var sum: Int32 = 0
        for k in 0..<w.inputs {
          sum += Int32(values[row * w.inputs + k]) * Int32(w.values[n * w.inputs + k])
        }
        let product = Float(sum) * scale * w.scales[n] + (w.bias?[n] ?? 0)
        y.append(Float(ReferenceMath.activate(Double(product), activation)))
      }
    }
    return Tensor(y, shape: x.shape.replacingLast(w.outputs), dtype: output)
  }
}

extension ReferenceMath {
  /// Numbers below this count as zero.
  private static let least: Float = 0x1p-100

  /// One row as ``QuantizedRows`` defines it.
  static func quantized(_ row: ArraySlice<Float>) -> (scale: Float, values: [Int8]) {
    let zeros = [Int8](repeating: 0, count: row.count)
    guard row.allSatisfy(\.isFinite) else { return (.nan, zeros) }
    let largest = row.reduce(0) { max($0, $1.magnitude) }
    guard largest >= least else { return (0, zeros) }
    let factor = 127 / largest
    return (largest / 127, row.map { Int8(($0 * factor).rounded(.toNearestOrEven)) })
  }
}

extension Tensor {
  /// The elements of an int8 tensor.
  fileprivate var bytes8: [Int8] {
    withSpan(of: Int8.self) { span in span.indices.map { span[$0] } }
  }
}
