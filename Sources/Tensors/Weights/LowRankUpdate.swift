/// scale * up * down, added to a matrix [N, K] (https://arxiv.org/abs/2106.09685).
public struct LowRankUpdate: Sendable {
  /// [r, K], any floating type.
  public let down: Tensor
  /// [N, r], any floating type.
  public let up: Tensor
  /// The strength asked for, times alpha / r.
  public let scale: Float

  /// Traps unless both are matrices of one rank r.
  public init(down: Tensor, up: Tensor, scale: Float) {
    precondition(
      down.shape.rank == 2 && up.shape.rank == 2 && down.shape[0] == up.shape[1],
      "low-rank update: down \(down.shape), up \(up.shape)")
    (self.down, self.up, self.scale) = (down, up, scale)
  }

  /// [N, K]
  public var shape: Shape { [up.shape[0], down.shape[1]] }
}
