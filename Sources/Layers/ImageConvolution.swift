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
    weights = w.convolution(inputs, outputs, kernel: [1, 3, 3], storedAs: [outputs, inputs, 3, 3]) {
      w.backend.prepareConvolution($0, bias: $1, precision: w.precision)
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
    weights = w.convolution(inputs, outputs, kernel: [1, 3, 3], storedAs: [outputs, inputs, 3, 3]) {
      w.backend.prepareUpsampledConvolution($0, bias: $1, precision: w.precision)
    }
  }

  /// [T, H, W, inputs] -> [T, 2 H, 2 W, outputs]
  public func callAsFunction(_ x: Tensor) -> Tensor {
    backend.upsampledConvolution(x, weights, output: output)
  }
}

extension Weights {
  /// The `weight` and `bias` of a convolution, prepared; or what stands for them when they were not read.
  ///
  /// - Parameters:
  ///   - kernel: extents in time, rows and columns.
  ///   - stored: the weight's shape in the file where it is not [outputs, inputs, kernel].
  func convolution(
    _ inputs: Int, _ outputs: Int, kernel: [Int], storedAs stored: Shape? = nil,
    prepare: (_ weight: Tensor, _ bias: Tensor) -> any ConvolutionWeights
  ) -> any ConvolutionWeights {
    let shape = Shape([outputs, inputs] + kernel)
    let (weight, bias) = (tensor("weight", stored ?? shape), tensor("bias", [outputs]))
    guard let weight, let bias else { return UnreadWeights(inputs: inputs, outputs: outputs) }
    return prepare(weight.reshaped(shape), bias)
  }
}
