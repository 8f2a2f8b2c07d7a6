// Fused operations written from simple ones: what a backend starts with, and what its fused kernels are held to.

extension Backend {
  public func rmsNormRotary(_ x: Tensor, weight: Tensor, epsilon: Float, table: Tensor) -> Tensor {
    let flat = x.reshaped([x.shape[0], x.shape[1], x.shape[2] * x.shape[3]])  // [B, L, H D]
    return rotary(rmsNorm(flat, weight: weight, epsilon: epsilon, output: x.dtype).reshaped(x.shape), table: table)
  }

  /// A linear without activation, in x's own type.
  public func linear(_ x: Tensor, _ weights: any LinearWeights) -> Tensor {
    linear(x, weights, activation: .none, output: x.dtype)
  }
}
