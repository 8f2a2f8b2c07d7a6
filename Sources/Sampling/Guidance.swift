public import Tensors

/// Classifier-free guidance.
public enum Guidance {
  /// unconditional + scale (conditional - unconditional), float32 tensors of one shape.
  public static func combine(conditional: Tensor, unconditional: Tensor, scale: Float) -> Tensor {
    precondition(
      conditional.shape == unconditional.shape,
      "guidance: conditional \(conditional.shape), unconditional \(unconditional.shape)")
    let (c, u) = (conditional.floats(), unconditional.floats())
    return Tensor(elementwise(c.count) { u[$0] + scale * (c[$0] - u[$0]) }, shape: conditional.shape)
  }
}
