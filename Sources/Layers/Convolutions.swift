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

  /// A 3x3 convolution of each frame joined to the one before it: reads `weight` [outputs, 2 inputs, 3, 3], which takes the
  /// frame's own channels before those of the past one, and `bias` [outputs].
  public static func overPairs(_ w: Weights, _ inputs: Int, _ outputs: Int) -> CausalConv3D {
    let geometry = ConvolutionGeometry(leadingFrames: 1, padding: .init(all: 1))
    return CausalConv3D(w, w.joinedConvolution(inputs, outputs, frames: 2, geometry: geometry), past: 1)
  }

  private init(_ w: Weights, _ prepared: any PreparedConvolution, past: Int) {
    (backend, output, key) = (w.backend, w.precision.activations, w.path)
    (self.prepared, self.past) = (prepared, past)
  }

  /// [T, H, W, inputs] -> [T', H, W, outputs], in `output` or the precision's activation type.
  public func callAsFunction(
    _ x: Tensor, _ stream: CausalStream, _ activation: Activation = .none, output: DType? = nil
  ) -> Tensor {
    let history = stream[key]
    let x = backend.cast(x, to: self.output)  // what the product rounds to in any case; half the size to remember
    if past > 0 { remember(x, after: history, in: stream) }
    return prepared(x, history: history, activation: activation, output: output ?? self.output)
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
