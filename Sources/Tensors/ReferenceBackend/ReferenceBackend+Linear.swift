/// Weights of a linear as rows of float32, already rounded to the precision of the product.
final class ReferenceLinearWeights: LinearWeights {
  let inputs: Int
  let outputs: Int
  let precision: Precision
  let weight: [Float]  // [N, K]
  let bias: [Float]?  // [N]

  init(_ weight: Tensor, bias: Tensor?, precision: Precision) {
    precondition(weight.shape.rank == 2, "prepareLinear: weight \(weight.shape) is not [N, K]")
    precondition(
      bias.map { $0.count == weight.shape[0] } ?? true,
      "prepareLinear: bias \(bias?.shape ?? []) for weight \(weight.shape)")
    (outputs, inputs) = (weight.shape[0], weight.shape[1])
    self.precision = precision
    self.weight = ReferenceMath.rounded(weight.floats(), to: precision)
    self.bias = bias?.floats()
  }
}

extension ReferenceBackend {
  public func prepareLinear(_ weight: Tensor, bias: Tensor?, precision: Precision) -> any LinearWeights {
    precision == .int8
      ? prepareLinear(quantizedRows(weight), bias: bias)
      : ReferenceLinearWeights(weight, bias: bias, precision: precision)
  }

  public func linear(
    _ x: Tensor, _ weights: any LinearWeights, activation: Activation, output: DType
  ) -> Tensor {
    if let weights = weights as? ReferenceQuantizedWeights {
      return quantizedLinear(x, weights, activation: activation, output: output)
    }
    guard let w = weights as? ReferenceLinearWeights else {
      preconditionFailure("linear: weights of another backend")
    }
    precondition(x.shape.rank >= 1 && x.shape.last == w.inputs, "linear: x \(x.shape) for \(w.inputs) inputs")
    let values = ReferenceMath.rounded(x.floats(), to: w.precision)
    var y: [Float] = []
    y.reserveCapacity(x.shape.rows * w.outputs)
    for row in 0..<x.shape.rows {
      for n in 0..<w.outputs {
        let sum = ReferenceMath.dot(values, from: row * w.inputs, w.weight, from: n * w.inputs, count: w.inputs)
        y.append(Float(ReferenceMath.activate(sum + Double(w.bias?[n] ?? 0), activation)))
      }
    }
    return Tensor(y, shape: x.shape.replacingLast(w.outputs), dtype: output)
  }
}
