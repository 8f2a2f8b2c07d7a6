public import Tensors

extension CPUBackend {
  public func adapted(
    _ linear: any PreparedLinear, by updates: [LowRankUpdate], precision: Precision
  ) -> any PreparedLinear {
    let base: CPUAdaptedLinear.Base
    if let plain = linear as? CPULinear, !plain.isPacked {
      base = .plain(plain)
    } else if let bytes = linear as? CPUByteLinear {
      base = .bytes(bytes)
    } else {
      return AdaptedLinear(linear, updates, self, precision: precision)
    }
    return CPUAdaptedLinear(base, linear, updates, precision: precision, self)
  }
}

/// A linear and what adapters add to it: their products go onto the same sums as the matrix's, tile by tile, so that no
/// result is written twice.
private final class CPUAdaptedLinear: PreparedLinear {
  enum Base {
    case plain(CPULinear)
    case bytes(CPUByteLinear)
  }

  let inputs, outputs: Int
  private let base: Base
  private let activations: DType
  private let updates: [(down: CPULinear, scale: Tensor, up: Tensor)]
  private let backend: CPUBackend

  init(
    _ base: Base, _ linear: any PreparedLinear, _ updates: [LowRankUpdate], precision: Precision, _ backend: CPUBackend
  ) {
    (inputs, outputs) = (linear.inputs, linear.outputs)
    self.base = base
    self.backend = backend
    let precision = precision.unquantized
    activations = precision.activations
    self.updates = updates.map { update in
      (
        backend.linear(update.down, bias: nil, precision: precision, packs: false),
        Tensor([update.scale], shape: [1]), backend.stored(update.up, precision)
      )
    }
  }

  func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor {
    let rows = x.reshaped([x.shape.rows, inputs])
    let added = updates.map { update in
      let inner = backend.multiply(update.down(rows, activation: .none, output: .f32), update.scale)  // [M, r]
      return AddedProduct(
        rows: backend.products(of: backend.cast(inner, to: activations), as: update.down.sourceType, rounded: false),
        weight: update.up)
    }
    switch base {
    case .plain(let linear): return backend.linear(x, linear, adding: added, activation: activation, output: output)
    case .bytes(let linear): return backend.linear(x, linear, adding: added, activation: activation, output: output)
    }
  }
}

/// A product that is added to a linear's sums: rows [M, r], as the products read them, times a weight [N, r].
struct AddedProduct {
  let rows: Tensor
  let weight: Tensor

  /// Of some rows alone.
  func slice(_ range: Range<Int>) -> AddedProduct { AddedProduct(rows: rows.slice(range), weight: weight) }

  /// Adds a part of the product to sums of ``wan_product_columns(_:)`` columns.
  @unsafe
  func add(
    to sums: UnsafeMutablePointer<Float>, rows range: Range<Int>, columns: Range<Int>,
    _ scratch: UnsafeMutableRawPointer
  ) {
    unsafe ProductTile(rows: rows, weight: .numbers(weight)).multiply(
      range, columns, next: nil, onto: sums, adds: true, scratch)
  }
}
