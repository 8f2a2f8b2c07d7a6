public import Tensors

/// A convolution over time and space that looks only backwards in time, and streams.
///
/// Called chunk by chunk with one ``CausalStream`` it gives what one call over the whole clip gives.
public struct CausalConv3D: Sendable {
  private let prepared: any PreparedConvolution
  private let backend: any Backend
  private let output: DType
  /// Past frames that the kernel sees beside a chunk's first.
  private let past: Int
  /// The checkpoint's name for this layer, by which a stream keeps its past frames.
  private let key: String

  /// Reads `weight` [outputs, inputs, kernel] and `bias` [outputs].
  ///
  /// - Parameters:
  ///   - kernel: extents in time, rows and columns; rows and columns are padded by half of theirs.
  ///   - timeStride: output frames are this far apart; a stride over 1 keeps kernel - stride past frames.
  public init(
    _ w: Weights, _ inputs: Int, _ outputs: Int, kernel: (time: Int, height: Int, width: Int) = (3, 3, 3),
    timeStride: Int = 1
  ) {
    backend = w.backend
    output = w.precision.activations
    key = w.path
    past = kernel.time - timeStride
    let (rows, columns) = (kernel.height / 2, kernel.width / 2)
    prepared = w.convolution(
      inputs, outputs, kernel: [kernel.time, kernel.height, kernel.width],
      geometry: ConvolutionGeometry(
        stride: (timeStride, 1, 1), leadingFrames: past,
        padding: .init(top: rows, bottom: rows, left: columns, right: columns)))
  }

  /// [T, H, W, inputs] -> [T', H, W, outputs], in `output` or the precision's activation type.
  public func callAsFunction(_ x: Tensor, _ stream: CausalStream, output: DType? = nil) -> Tensor {
    let history = stream[key]
    let x = backend.cast(x, to: self.output)  // what the product rounds to in any case; half the size to remember
    if past > 0 { remember(x, after: history, in: stream) }
    return prepared(x, history: history, output: output ?? self.output)
  }

  /// Keeps the last frames for the next chunk, as a copy so that the rest of x can go.
  public func remember(_ x: Tensor, in stream: CausalStream) {
    remember(backend.cast(x, to: output), after: stream[key], in: stream)
  }

  private func remember(_ x: Tensor, after history: Tensor?, in stream: CausalStream) {
    let frames = x.shape[0]
    let fromX = min(frames, past)
    var parts = [x.slice(frames - fromX..<frames)]
    if let history, fromX < past {
      let fromHistory = min(history.shape[0], past - fromX)
      parts.insert(history.slice(history.shape[0] - fromHistory..<history.shape[0]), at: 0)
    }
    stream[key] = backend.concatenated(parts)
  }
}

/// The past frames of every causal convolution of one network, for one clip.
///
/// Also says whether the first chunk is still running, which the temporal resamplers treat apart.
public final class CausalStream {
  private var frames: [String: Tensor] = [:]
  /// True until the first chunk has gone through the whole network.
  public var isFirstChunk = true

  /// A stream at the start of a clip: no past, first chunk to come.
  public init() {}

  subscript(key: String) -> Tensor? {
    get { frames[key] }
    set { frames[key] = newValue }
  }
}

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
