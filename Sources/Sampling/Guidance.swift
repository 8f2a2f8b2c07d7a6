public import Tensors

/// What a model says of a step: its output for the prompt and, under classifier-free guidance, its output without.
///
/// The two are put together where a solver reads them, element by element: unconditional + scale (conditional -
/// unconditional).
public struct Velocity: Sendable {
  let conditional: Tensor
  let unconditional: Tensor?
  let scale: Float

  /// The output for the prompt alone, float32.
  public init(_ conditional: Tensor) {
    (self.conditional, unconditional, scale) = (conditional, nil, 1)
  }

  /// Both outputs, float32 of one shape.
  public init(conditional: Tensor, unconditional: Tensor, scale: Float) {
    precondition(
      conditional.shape == unconditional.shape,
      "guidance: conditional \(conditional.shape), unconditional \(unconditional.shape)")
    (self.conditional, self.unconditional, self.scale) = (conditional, unconditional, scale)
  }

  /// What the tensors of this step have in common.
  var shape: Shape { conditional.shape }
  var isFloat: Bool { conditional.dtype == .f32 && (unconditional?.dtype ?? .f32) == .f32 }

  /// y = f(x, v), where v is the guided output.
  func map(_ x: Tensor, _ f: (Float, Float) -> Float) -> Tensor {
    guard let unconditional else { return elementwise(x, conditional, f) }
    let scale = scale
    return elementwise(x, conditional, unconditional) { x, c, u in f(x, u + scale * (c - u)) }
  }

  /// The clean sample that the velocity points to: x - sigma v.
  func cleanSample(_ latents: Tensor, sigma: Float) -> Tensor { map(latents) { x, v in x - sigma * v } }
}
