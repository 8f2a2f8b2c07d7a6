extension ReferenceBackend {
  public func add(_ x: Tensor, _ y: Tensor) -> Tensor {
    combine(x, y, operation: "add") { $0 + $1 }
  }

  public func multiply(_ x: Tensor, _ y: Tensor) -> Tensor {
    combine(x, y, operation: "multiply") { $0 * $1 }
  }

  public func activate(_ x: Tensor, _ activation: Activation) -> Tensor {
    let y = x.floats().map { Float(ReferenceMath.activate(Double($0), activation)) }
    return Tensor(y, shape: x.shape, dtype: x.dtype)
  }

  public func cast(_ x: Tensor, to dtype: DType) -> Tensor {
    x.converted(to: dtype)
  }

  private func combine(
    _ x: Tensor, _ y: Tensor, operation: String, _ body: (Float, Float) -> Float
  ) -> Tensor {
    precondition(x.shape == y.shape, "\(operation): x \(x.shape), y \(y.shape)")
    let values = zip(x.floats(), y.floats()).map { body($0, $1) }
    return Tensor(values, shape: x.shape, dtype: x.dtype)
  }
}
