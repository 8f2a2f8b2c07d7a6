public import Tensors

extension CPUBackend {
  public func adapted(
    _ linear: any PreparedLinear, by updates: [LowRankUpdate], precision: Precision
  ) -> any PreparedLinear {
    guard let base = linear as? CPULinear, !base.isPacked else {
      return AdaptedLinear(linear, updates, self, precision: precision)
    }
    return CPUAdaptedLinear(base, updates, precision: precision, self)
  }
}

/// A linear and what adapters add to it: their products go onto the same sums as the matrix's, tile by tile, so that no
/// result is written twice.
private final class CPUAdaptedLinear: PreparedLinear {
  private let base: CPULinear
  private let updates: [(down: CPULinear, scale: Tensor, up: Tensor)]
  private let backend: CPUBackend

  init(_ base: CPULinear, _ updates: [LowRankUpdate], precision: Precision, _ backend: CPUBackend) {
    self.base = base
    self.backend = backend
    let precision = precision.unquantized
    self.updates = updates.map { update in
      (
        backend.linear(update.down, bias: nil, precision: precision, packs: false),
        Tensor([update.scale], shape: [1]), backend.stored(update.up, precision)
      )
    }
  }

  var inputs: Int { base.inputs }
  var outputs: Int { base.outputs }

  func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor {
    let rows = x.reshaped([x.shape.rows, inputs])
    let added = updates.map { update in
      let inner = backend.multiply(update.down(rows, activation: .none, output: .f32), update.scale)  // [M, r]
      return AddedProduct(
        rows: backend.products(of: backend.cast(inner, to: base.activations), as: base.sourceType, rounded: false),
        weight: update.up)
    }
    return backend.linear(x, base, adding: added, activation: activation, output: output)
  }
}

/// A product that is added to a linear's sums: rows [M, r], as the products read them, times a weight [N, r].
struct AddedProduct {
  let rows: Tensor
  let weight: Tensor

  /// Of some rows alone.
  func slice(_ range: Range<Int>) -> AddedProduct { AddedProduct(rows: rows.slice(range), weight: weight) }
}

extension CPULinear {
  /// What its inputs are rounded to.
  fileprivate var activations: DType { rounds ? .bf16 : .f32 }
}
