public import Tensors

/// A 3x3 convolution that changes a frame's size: to half, or to twice.
public struct ResizingConv2D: Sendable {
  private let prepared: any PreparedConvolution
  private let output: DType

  /// Zeros right and below only, stride 2.
  private static let halvingGeometry = ConvolutionGeometry(
    stride: (1, 2, 2), padding: .init(top: 0, bottom: 1, left: 0, right: 1))

  private init(_ w: Weights, _ inputs: Int, _ outputs: Int, _ geometry: ConvolutionGeometry) {
    output = w.precision.activations
    prepared = w.convolution(
      inputs, outputs, kernel: [1, 3, 3], storedAs: [outputs, inputs, 3, 3], geometry: geometry)
  }

  /// [T, H, W, inputs] -> [T, H / 2, W / 2, outputs]; reads `weight` [outputs, inputs, 3, 3] and `bias` [outputs].
  public static func halving(_ w: Weights, _ inputs: Int, _ outputs: Int) -> ResizingConv2D {
    ResizingConv2D(w, inputs, outputs, halvingGeometry)
  }

  /// [T, H, W, inputs] -> [T, 2 H, 2 W, outputs], over frames first doubled by nearest neighbour; reads as ``halving``.
  public static func doubling(_ w: Weights, _ inputs: Int, _ outputs: Int) -> ResizingConv2D {
    ResizingConv2D(w, inputs, outputs, .doubling)
  }

  /// [T, H, W, inputs] -> [T, H', W', outputs] in the precision's activation type.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    prepared(x, history: nil, output: output)
  }
}
