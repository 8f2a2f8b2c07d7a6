// T frames, H rows, W columns, C channels, N those of the next level; activations [T, H, W, C].

import Layers
import Tensors

/// A frame and the one before it through three convolutions, around a shortcut: `MemBlock` in `taehv.py`.
struct TinyMemoryBlock: Sendable {
  private let conv1: CausalConv3D
  private let conv2, conv3: FrameConv2D
  private let backend: any Backend

  init(_ w: Weights, _ channels: Int) {
    backend = w.backend
    conv1 = .overPairs(w["conv"][0], channels, channels)
    conv2 = .plain(w["conv"][2], channels, channels)
    conv3 = .plain(w["conv"][4], channels, channels)
  }

  func callAsFunction(_ x: Tensor, _ stream: CausalStream) -> Tensor {
    let y = conv3(conv2(conv1(x, stream, .relu), .relu), output: .f32)
    return backend.activate(backend.add(y, x), .relu)
  }
}

/// One level: memory blocks, then for each frame that becomes of one a doubled picture of the next level's width.
///
/// A 1x1 convolution without bias gives the same before the doubling as behind it, where it would be four times the work:
/// `TGrow` and the convolutions around it in `taehv.py`.
struct TinyLevel: Sendable {
  private let blocks: [TinyMemoryBlock]
  private let frames: [Linear]
  private let conv: FrameConv2D
  private let activation: Activation

  /// Frames that become of one.
  var growth: Int { frames.count }

  /// - Parameter activation: of what goes to the next level.
  init(_ w: Weights, _ c: TinyConfiguration, level: Int, activation: Activation) {
    let (first, width, next) = (TinyConfiguration.first(ofLevel: level), c.widths[level], c.widths[level + 1])
    blocks = (0..<3).map { TinyMemoryBlock(w[first + $0], width) }
    frames = Linear.last(c.growth[level], of: c.storedGrowth[level], w[first + 4]["conv"], width)
    conv =
      c.isEnlarging
      ? .doubling(w[first + 5], width, next, hasBias: false) : .plain(w[first + 5], width, next, hasBias: false)
    self.activation = activation
  }

  /// [1, H, W, C] -> [1, H, W, C], with what came before in mind.
  func remembered(_ x: Tensor, _ stream: CausalStream) -> Tensor {
    blocks.reduce(x) { $1($0, stream) }
  }

  /// One of the frames that become of a remembered one: [1, H, W, C] -> [1, 2 H, 2 W, N].
  func frame(_ index: Int, of y: Tensor) -> Tensor { conv(frames[index](y), activation) }
}
