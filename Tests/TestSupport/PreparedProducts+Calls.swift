public import Tensors

extension PreparedLinear {
  /// Without activation, in x's type.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, activation: .none, output: x.dtype) }
}

extension PreparedConvolution {
  /// Without history and activation, in x's type.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, history: nil, output: x.dtype) }

  /// Without activation.
  public func callAsFunction(_ x: Tensor, history: Tensor?, output: DType) -> Tensor {
    self(x, history: history, activation: .none, output: output)
  }
}
