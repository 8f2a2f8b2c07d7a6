public import Tensors

/// Changes of a network that lie beside its checkpoint: a LoRA and its relatives.
///
/// Nothing of the checkpoint is copied or written: linears add the update's product to their own, and the cursor adds
/// differences to norms, biases and modulations as it hands them out.
public protocol Adapter: Sendable {
  /// Where the changes come from, for error messages.
  var location: String { get }
  /// The tensors that it changes, under the network's names.
  var names: [String] { get }
  /// What is added to the matrix of this name; `nil` where it is left as it is.
  func update(of name: String) throws(WeightError) -> LowRankUpdate?
  /// What is added to the matrix of this name where no small factors hold it, [N, K] float32 in host memory; `nil` where
  /// nothing of this kind is.
  ///
  /// - Parameter matrix: the network's own numbers, [N, K] float32.
  func wholeUpdate(of name: String, matrix: () -> Tensor) throws(WeightError) -> Tensor?
  /// What is added to the parameter of this name, of as many elements; `nil` where it is left as it is.
  func difference(of name: String) throws(WeightError) -> Tensor?
}

extension Adapter {
  public func wholeUpdate(of name: String, matrix: () -> Tensor) throws(WeightError) -> Tensor? { nil }
}

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
  var shape: Shape { [up.shape[0], down.shape[1]] }
}

/// A linear and what adapters add to it: activation(x W^T + b + sum of scale (x down^T) up^T).
///
/// The sum is taken before the activation and in float32; the matrix itself stays where and as it is.
final class AdaptedLinear: PreparedLinear {
  private let base: any PreparedLinear
  private let updates: [(down: any PreparedLinear, up: any PreparedLinear, scale: Tensor)]
  private let backend: any Backend
  private let rounded: DType

  init(_ base: any PreparedLinear, _ updates: [LowRankUpdate], _ backend: any Backend, precision: Precision) {
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

  var inputs: Int { base.inputs }
  var outputs: Int { base.outputs }

  func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor {
    var sum = base(x, activation: .none, output: .f32)
    for update in updates {
      let inner = update.down(x, activation: .none, output: rounded)  // [..., r]
      sum = backend.add(sum, backend.multiply(update.up(inner, activation: .none, output: .f32), update.scale))
    }
    return backend.cast(backend.activate(sum, activation), to: output)
  }
}
