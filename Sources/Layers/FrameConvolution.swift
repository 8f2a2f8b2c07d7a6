public import Tensors

/// A 3x3 convolution of each frame for itself, which keeps its size or brings it to half or twice.
public struct FrameConv2D: Sendable {
  private let prepared: any PreparedConvolution
  private let output: DType

  /// Zeros right and below only, stride 2.
  private static let halvingGeometry = ConvolutionGeometry(
    stride: (1, 2, 2), padding: .init(top: 0, bottom: 1, left: 0, right: 1))

  private init(_ w: Weights, _ inputs: Int, _ outputs: Int, _ geometry: ConvolutionGeometry, hasBias: Bool = true) {
    output = w.precision.activations
    prepared = w.convolution(
      inputs, outputs, kernel: [1, 3, 3], storedAs: [outputs, inputs, 3, 3], hasBias: hasBias, geometry: geometry)
  }

  /// [T, H, W, inputs] -> [T, H, W, outputs]; reads `weight` [outputs, inputs, 3, 3] and, unless told, `bias` [outputs].
  public static func plain(_ w: Weights, _ inputs: Int, _ outputs: Int, hasBias: Bool = true) -> FrameConv2D {
    FrameConv2D(w, inputs, outputs, ConvolutionGeometry(padding: .init(all: 1)), hasBias: hasBias)
  }

  /// [T, H, W, inputs] -> [T, H / 2, W / 2, outputs]; reads as ``plain(_:_:_:hasBias:)``.
  public static func halving(_ w: Weights, _ inputs: Int, _ outputs: Int) -> FrameConv2D {
    FrameConv2D(w, inputs, outputs, halvingGeometry)
  }

  /// [T, H, W, inputs] -> [T, 2 H, 2 W, outputs], over frames first doubled by nearest neighbour; reads as
  /// ``plain(_:_:_:hasBias:)``.
  public static func doubling(_ w: Weights, _ inputs: Int, _ outputs: Int, hasBias: Bool = true) -> FrameConv2D {
    FrameConv2D(w, inputs, outputs, .doubling, hasBias: hasBias)
  }

  /// [T, H, W, inputs] -> [T, H', W', outputs], in `output` or the precision's activation type.
  public func callAsFunction(_ x: Tensor, _ activation: Activation = .none, output: DType? = nil) -> Tensor {
    prepared(x, history: nil, activation: activation, output: output ?? self.output)
  }
}
