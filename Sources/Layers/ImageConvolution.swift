public import Tensors

/// A 3x3 convolution that halves each frame: zeros right and below only, stride 2.
public struct HalvingConv2D: Sendable {
  private let weights: any ConvolutionWeights
  private let backend: any Backend
  private let output: DType
  private static let geometry = ConvolutionGeometry(
    stride: (1, 2, 2), padding: .init(top: 0, bottom: 1, left: 0, right: 1))

  /// Reads `weight` [outputs, inputs, 3, 3] and `bias` [outputs].
  public init(_ w: Weights, _ inputs: Int, _ outputs: Int) {
    backend = w.backend
    output = w.precision.activations
    let (weight, bias) = (w.tensor("weight", [outputs, inputs, 3, 3]), w.tensor("bias", [outputs]))
    if let weight, let bias {
      weights = w.backend.prepareConvolution(
        weight.reshaped([outputs, inputs, 1, 3, 3]), bias: bias, precision: w.precision)
    } else {
      weights = UnreadWeights(inputs: inputs, outputs: outputs)
    }
  }

  /// [T, H, W, inputs] -> [T, H / 2, W / 2, outputs]
  public func callAsFunction(_ x: Tensor) -> Tensor {
    backend.convolution(x, history: nil, weights, geometry: Self.geometry, output: output)
  }
}

/// A 3x3 convolution over frames first doubled by nearest neighbour.
public struct DoublingConv2D: Sendable {
  private let weights: any ConvolutionWeights
  private let backend: any Backend
  private let output: DType

  /// Reads `weight` [outputs, inputs, 3, 3] and `bias` [outputs].
  public init(_ w: Weights, _ inputs: Int, _ outputs: Int) {
    backend = w.backend
    output = w.precision.activations
    let (weight, bias) = (w.tensor("weight", [outputs, inputs, 3, 3]), w.tensor("bias", [outputs]))
    if let weight, let bias {
      weights = w.backend.prepareUpsampledConvolution(
        weight.reshaped([outputs, inputs, 1, 3, 3]), bias: bias, precision: w.precision)
    } else {
      weights = UnreadWeights(inputs: inputs, outputs: outputs)
    }
  }

  /// [T, H, W, inputs] -> [T, 2 H, 2 W, outputs]
  public func callAsFunction(_ x: Tensor) -> Tensor {
    backend.upsampledConvolution(x, weights, output: output)
  }
}
