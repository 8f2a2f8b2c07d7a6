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

extension Backend {
  public func adapted(
    _ linear: any PreparedLinear, by updates: [LowRankUpdate], precision: Precision
  ) -> any PreparedLinear {
    AdaptedLinear(linear, updates, self, precision: precision)
  }
}

/// A linear and what is added to it, of other operations: activation(x W^T + b + sum of scale (x down^T) up^T).
package final class AdaptedLinear: PreparedLinear {
  private let base: any PreparedLinear
  private let updates: [(down: any PreparedLinear, up: any PreparedLinear, scale: Tensor)]
  private let backend: any Backend
  private let rounded: DType

  package init(_ base: any PreparedLinear, _ updates: [LowRankUpdate], _ backend: any Backend, precision: Precision) {
    self.base = base
    self.backend = backend
    // Bytes would be too coarse for the small numbers of an update, and rank rows are too few to be worth it.
    let precision = precision.unquantized
    rounded = precision.activations
    self.updates = updates.map { update in
      (
        backend.prepare(.dense(update.down), bias: nil, precision: precision),
        backend.prepare(.dense(update.up), bias: nil, precision: precision), backend.tensor([update.scale], [1])
      )
    }
  }

  package var inputs: Int { base.inputs }
  package var outputs: Int { base.outputs }

  package func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor {
    var sum = base(x, activation: .none, output: .f32)
    for update in updates {
      // The scale goes to the rank's few columns.
      let inner = backend.multiply(update.down(x, activation: .none, output: .f32), update.scale)  // [..., r]
      sum = backend.add(sum, update.up(backend.cast(inner, to: rounded), activation: .none, output: .f32))
    }
    return backend.cast(backend.activate(sum, activation), to: output)
  }
}
