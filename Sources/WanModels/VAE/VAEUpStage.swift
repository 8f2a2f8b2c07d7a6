// T frames, H rows, W columns, C channels; activations [T, H, W, C].

import Layers
import Tensors

/// One level of the decoder: residual blocks, doubling, and in 2.2 a duplicating shortcut around it all.
struct VAEUpStage: Sendable {
  private let blocks: [VAEResidualBlock]
  private let doubling: FrameConv2D?
  private let timeConv: CausalConv3D?
  private let hasShortcut: Bool
  private let outputs: Int
  private let backend: any Backend

  init(_ w: Weights, _ stage: VAEConfiguration.Stage, hasShortcut: Bool) {
    backend = w.backend
    self.hasShortcut = hasShortcut && stage.resample != nil
    blocks = stage.blocks.enumerated().map { i, path in
      VAEResidualBlock(w[path], i == 0 ? stage.inputs : stage.outputs, stage.outputs)
    }
    outputs = stage.resample?.outputs ?? stage.outputs
    doubling = stage.resample.map { FrameConv2D.doubling(w[$0.path]["resample"][1], stage.outputs, $0.outputs) }
    timeConv = stage.resample.flatMap { resample in
      guard resample.isTemporal else { return nil }
      return CausalConv3D(w[resample.path]["time_conv"], stage.outputs, 2 * stage.outputs, kernel: (3, 1, 1))
    }
  }

  func callAsFunction(_ x: Tensor, _ stream: CausalStream) -> Tensor {
    var y = x
    for block in blocks { y = block(y, stream) }
    if let timeConv, !stream.isFirstChunk { y = doubleTime(y, timeConv, stream) }
    if let doubling { y = doubling(y) }
    return hasShortcut ? backend.add(y, duplicated(x, stream)) : y
  }

  /// Where the result lies when the input lies in `region`.
  func region(of region: FrameRegion) -> FrameRegion { doubling == nil ? region : region.scaled(by: 2) }

  /// Twice the channels, read as two frames each; the first chunk never comes here and leaves no past.
  private func doubleTime(_ x: Tensor, _ conv: CausalConv3D, _ stream: CausalStream) -> Tensor {
    let (t, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let pairs = conv(x, stream).reshaped([t, h, w, 2, c])
    return backend.permuted(pairs, [0, 3, 1, 2, 4]).reshaped([2 * t, h, w, c])
  }

  /// Channels repeated, then unfolded into time, rows and columns; the first chunk keeps its last frame: `DupUp3D`.
  private func duplicated(_ x: Tensor, _ stream: CausalStream) -> Tensor {
    let (ft, fs) = (timeConv == nil ? 1 : 2, 2)
    let (t, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let repeated = backend.repeatedElements(x, count: outputs * ft * fs * fs / c)
    let unfolded = backend.permuted(
      repeated.reshaped([t, h, w, outputs, ft, fs, fs]), [0, 4, 1, 5, 2, 6, 3])  // [T, ft, H, fs, W, fs, C']
    let y = unfolded.reshaped([t * ft, h * fs, w * fs, outputs])
    return stream.isFirstChunk ? y.slice(ft - 1..<y.shape[0]) : y
  }
}
