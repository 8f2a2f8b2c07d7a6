public import Tensors

/// y = activation(x W^T + b), in the precision that its weights were loaded with.
public struct Linear: Sendable {
  private let prepared: any PreparedLinear
  /// The type of the outputs unless a call asks for another.
  private let output: DType

  /// K, the extent of x's last axis.
  public var inputs: Int { prepared.inputs }
  /// N, the extent of the result's last axis.
  public var outputs: Int { prepared.outputs }

  /// Reads `weight` [outputs, inputs] and, when there is one, `bias` [outputs].
  ///
  /// - Parameter stored: the weight's shape in the file where it is not [outputs, inputs]: a 1x1 convolution, a patch.
  public init(_ w: Weights, _ inputs: Int, _ outputs: Int, bias: Bool = true, storedAs stored: Shape? = nil) {
    self.init(w.linear(inputs, outputs, hasBias: bias, storedAs: stored), w)
  }

  private init(_ prepared: any PreparedLinear, _ w: Weights) {
    self.prepared = prepared
    output = w.precision.activations
  }

  /// The query, key and value thirds of a 1x1 convolution stored as one: `weight` [3 C, C, 1, 1], `bias` [3 C].
  public static func thirds(_ w: Weights, _ channels: Int) -> (Linear, Linear, Linear) {
    let thirds = w.linears(3, channels, channels).map { Linear($0, w) }
    return (thirds[0], thirds[1], thirds[2])
  }

  /// The last of several square matrices without bias that a 1x1 convolution stores one above the other: `weight`
  /// [stored C, C, 1, 1].
  public static func last(_ count: Int, of stored: Int, _ w: Weights, _ channels: Int) -> [Linear] {
    w.linears(stored, channels, channels, hasBias: false).suffix(count).map { Linear($0, w) }
  }

  /// [..., inputs] -> [..., outputs]
  public func callAsFunction(_ x: Tensor, _ activation: Activation = .none, output: DType? = nil) -> Tensor {
    prepared(x, activation: activation, output: output ?? self.output)
  }
}

/// A table of vectors, one per token id; read in place, and decoded row by row where it is stored in codes.
public struct Embedding: Sendable {
  private let table: StoredMatrix
  private let backend: any Backend

  /// Reads `weight` [count, dimension].
  public init(_ w: Weights, _ count: Int, _ dimension: Int) {
    backend = w.backend
    table = w.table("weight", [count, dimension])
  }

  /// ids -> [ids.count, dimension] float32
  public func callAsFunction(_ ids: [Int32]) -> Tensor {
    if case .encoded(let table) = table { return backend.resident(table.rows(ids)) }
    return backend.gather(table.dense, indices: ids, output: .f32)
  }
}
