public import Tensors

extension PreparedLinear {
  /// Without activation, in x's type.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, activation: .none, output: x.dtype) }
}

extension PreparedConvolution {
  /// Without history, in x's type.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, history: nil, output: x.dtype) }
}
