public import Tensors

/// y = activation(x W^T + b), in the precision that its weights were loaded with.
public struct Linear: Sendable {
  private let weights: any LinearWeights
  private let backend: any Backend
  /// The type of the outputs unless a call asks for another.
  private let output: DType

  /// K, the extent of x's last axis.
  public var inputs: Int { weights.inputs }
  /// N, the extent of the result's last axis.
  public var outputs: Int { weights.outputs }

  /// Reads `weight` [outputs, inputs] and, when there is one, `bias` [outputs].
  ///
  /// - Parameter stored: the weight's shape in the file where it is not [outputs, inputs]: a 1x1 convolution, a patch.
  public init(_ w: Weights, _ inputs: Int, _ outputs: Int, bias: Bool = true, storedAs stored: Shape? = nil) {
    backend = w.backend
    output = w.precision.activations
    var bytes: QuantizedRows?
    if w.precision == .int8 {
      w.noteQuantizable("weight", [outputs, inputs])
      bytes = w.quantized("weight", [outputs, inputs])
    }
    let weight = bytes == nil ? w.tensor("weight", stored ?? [outputs, inputs]) : nil
    let biasTensor = bias ? w.tensor("bias", [outputs]) : nil
    if let bytes, !bias || biasTensor != nil {
      weights = w.backend.prepareLinear(bytes, bias: biasTensor)
    } else if let weight, !bias || biasTensor != nil {
      weights = w.backend.prepareLinear(
        weight.reshaped([outputs, inputs]), bias: biasTensor, precision: w.precision)
    } else {
      weights = UnreadWeights(inputs: inputs, outputs: outputs)
    }
  }

  private init(_ w: Weights, weight: Tensor?, bias: Tensor?, _ inputs: Int, _ outputs: Int) {
    backend = w.backend
    output = w.precision.activations
    if let weight, let bias {
      weights = w.backend.prepareLinear(weight.reshaped([outputs, inputs]), bias: bias, precision: w.precision)
    } else {
      weights = UnreadWeights(inputs: inputs, outputs: outputs)
    }
  }

  /// The query, key and value thirds of a 1x1 convolution stored as one: `weight` [3 C, C, 1, 1], `bias` [3 C].
  public static func thirds(_ w: Weights, _ channels: Int) -> (Linear, Linear, Linear) {
    let weight = w.tensor("weight", [3 * channels, channels, 1, 1])
    let bias = w.tensor("bias", [3 * channels])
    func third(_ i: Int) -> Linear {
      let rows = i * channels..<(i + 1) * channels
      return Linear(w, weight: weight?.slice(rows), bias: bias?.slice(rows), channels, channels)
    }
    return (third(0), third(1), third(2))
  }

  /// [..., inputs] -> [..., outputs]
  public func callAsFunction(_ x: Tensor, _ activation: Activation = .none, output: DType? = nil) -> Tensor {
    backend.linear(x, weights, activation: activation, output: output ?? self.output)
  }
}

/// A table of vectors, one per token id; read in place.
public struct Embedding: Sendable {
  private let table: Tensor
  private let backend: any Backend

  /// Reads `weight` [count, dimension].
  public init(_ w: Weights, _ count: Int, _ dimension: Int) {
    backend = w.backend
    table = w.tensor("weight", [count, dimension]) ?? .zeros([0, dimension])
  }

  /// ids -> [ids.count, dimension] float32
  public func callAsFunction(_ ids: [Int32]) -> Tensor {
    backend.gather(table, indices: ids, output: .f32)
  }
}
