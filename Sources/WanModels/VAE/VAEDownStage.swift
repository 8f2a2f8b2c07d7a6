// T frames, H rows, W columns, C channels; activations [T, H, W, C].

import Layers
import Tensors

/// One level of the encoder: residual blocks, halving, and in 2.2 an average-pool shortcut around it all.
struct VAEDownStage: Sendable {
  private let blocks: [VAEResidualBlock]
  private let halving: FrameConv2D?
  private let timeConv: CausalConv3D?
  private let hasShortcut: Bool
  private let outputs: Int
  private let backend: any Backend

  init(_ w: Weights, _ stage: VAEConfiguration.Stage, hasShortcut: Bool) {
    backend = w.backend
    self.hasShortcut = hasShortcut
    blocks = stage.blocks.enumerated().map { i, path in
      VAEResidualBlock(w[path], i == 0 ? stage.inputs : stage.outputs, stage.outputs)
    }
    outputs = stage.resample?.outputs ?? stage.outputs
    halving = stage.resample.map { FrameConv2D.halving(w[$0.path]["resample"][1], stage.outputs, $0.outputs) }
    timeConv = stage.resample.flatMap { resample in
      guard resample.isTemporal else { return nil }
      return CausalConv3D(
        w[resample.path]["time_conv"], resample.outputs, resample.outputs, kernel: (3, 1, 1), timeStride: 2)
    }
  }

  /// Whether it makes one frame of two.
  var halvesTime: Bool { timeConv != nil }

  /// - Parameter piece: bytes of `x` beyond which its frames go through one by one until time is halved.
  func callAsFunction(_ x: Tensor, _ stream: CausalStream, _ piece: Int) -> Tensor {
    let small = backend.framewise(x, over: piece) { frames in
      let y = blocks.reduce(frames) { $1($0, stream) }
      return halving?(y) ?? y
    }
    let y = timeConv.map { halveTime(small, $0, stream) } ?? small
    return hasShortcut ? backend.add(y, averagePooled(x)) : y
  }

  /// The very first frame passes untouched; it is the past of the second chunk.
  private func halveTime(_ x: Tensor, _ conv: CausalConv3D, _ stream: CausalStream) -> Tensor {
    if stream.isFirstChunk {
      conv.remember(x, in: stream)
      return x
    }
    return conv(x, stream)
  }

  /// Means over time, rows, columns and neighbouring channels, with zeros in front where time is odd: `AvgDown3D`.
  private func averagePooled(_ x: Tensor) -> Tensor {
    let (ft, fs) = (timeConv == nil ? 1 : 2, halving == nil ? 1 : 2)
    let (h, w, c) = (x.shape[1], x.shape[2], x.shape[3])
    let missing = (ft - x.shape[0] % ft) % ft
    let padded = missing == 0 ? x : backend.concatenated([backend.zeros([missing, h, w, c], dtype: x.dtype), x])
    let t = padded.shape[0]
    let folded = backend.permuted(
      padded.reshaped([t / ft, ft, h / fs, fs, w / fs, fs, c]), [0, 2, 4, 6, 1, 3, 5])  // [T', H', W', C, ft, fs, fs]
    return backend.meanOfGroups(
      folded.reshaped([t / ft, h / fs, w / fs, c * ft * fs * fs]), size: c * ft * fs * fs / outputs)
  }
}

extension Backend {
  /// Frames [T, ...] through `body`: one by one where they are larger than `piece`, so that little of what it makes on its
  /// way is alive; else all together.
  func framewise(_ x: Tensor, over piece: Int, _ body: (Tensor) -> Tensor) -> Tensor {
    guard x.shape[0] > 1, x.byteCount > piece else { return body(x) }
    return concatenated((0..<x.shape[0]).map { body(x.slice($0..<$0 + 1)) })
  }
}
