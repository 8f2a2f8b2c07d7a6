public import Tensors

/// Layer norm whose scale and shift come from outside, a row for each distinct timestep.
public struct ModulatedNorm: Sendable {
  private let backend: any Backend
  private let epsilon: Float
  private let output: DType

  /// Reads no tensor; `w` says on which backend to run and in which type to give results.
  public init(_ w: Weights, epsilon: Float) {
    backend = w.backend
    self.epsilon = epsilon
    output = w.precision.activations
  }

  /// LN(x) * scale + shift; x [B, L, D] float32.
  public func callAsFunction(_ x: Tensor, scale: RowTable, shift: RowTable) -> Tensor {
    backend.layerNorm(x, scale: scale, shift: shift, epsilon: epsilon, output: output)
  }
}

/// Layer norm with a learned scale and shift.
public struct LayerNorm: Sendable {
  private let backend: any Backend
  private let epsilon: Float
  private let output: DType
  private let scale: Tensor  // [D]
  private let shift: Tensor  // [D]

  /// Reads `weight` [dimension] and `bias` [dimension].
  public init(_ w: Weights, _ dimension: Int, epsilon: Float) {
    backend = w.backend
    self.epsilon = epsilon
    output = w.precision.activations
    scale = w.parameter("weight", [dimension])
    shift = w.parameter("bias", [dimension])
  }

  /// x [B, L, D] float32 -> [B, L, D]
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let tokens = x.shape[1]
    return backend.layerNorm(
      x, scale: RowTable(uniform: scale, tokens: tokens), shift: RowTable(uniform: shift, tokens: tokens),
      epsilon: epsilon, output: output)
  }
}

/// Root-mean-square norm with a learned scale.
public struct RMSNorm: Sendable {
  private let backend: any Backend
  private let epsilon: Float
  private let output: DType
  private let weight: Tensor  // [D]

  /// Reads `weight` [dimension].
  public init(_ w: Weights, _ dimension: Int, epsilon: Float) {
    backend = w.backend
    self.epsilon = epsilon
    output = w.precision.activations
    weight = w.parameter("weight", [dimension])
  }

  /// [..., D] -> [..., D]
  public func callAsFunction(_ x: Tensor, output: DType? = nil) -> Tensor {
    backend.rmsNorm(x, weight: weight, epsilon: epsilon, output: output ?? self.output)
  }

  /// Over all heads together, then the rotation of each head; x [B, L, H, D].
  public func callAsFunction(_ x: Tensor, rotary: RotaryTable) -> Tensor {
    backend.rmsNormRotary(x, weight: weight, epsilon: epsilon, table: rotary.values)
  }
}

/// The VAE's norm: to unit length over channels, times sqrt(C), times gamma.
public struct ChannelNorm: Sendable {
  private let backend: any Backend
  private let output: DType
  private let gamma: Tensor  // [C]

  /// Reads `gamma`, stored as [C] followed by `trailing` ones.
  public init(_ w: Weights, _ channels: Int, trailing: Int) {
    backend = w.backend
    output = w.precision.activations
    gamma = w.parameter(
      "gamma", [channels], storedAs: Shape([channels] + Array(repeating: 1, count: trailing)))
  }

  /// [..., C] -> [..., C]
  public func callAsFunction(_ x: Tensor, _ activation: Activation = .none) -> Tensor {
    backend.cast(backend.channelNorm(x, gamma: gamma, activation: activation), to: output)
  }
}
