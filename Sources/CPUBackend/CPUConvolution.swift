import Tensors

/// A convolution's weights. The frames of the kernel are merged into the channels, so that oneDNN sees images alone.
final class CPUConvolution: ConvolutionWeights {
  enum Form {
    /// A kernel of one point: a linear over pixels.
    case product(CPULinear)
    /// One entry per block of outputs.
    case windows([PackedWeights])
    /// Four 2x2 kernels over the small image, one per output phase (row, column), each with its blocks.
    case upsampled([[PackedWeights]])
  }

  let inputs: Int
  let outputs: Int
  let kernel: (time: Int, height: Int, width: Int)
  /// [N] float32.
  let bias: Tensor?
  let form: Form
  let rounds: Bool
  /// What the products read.
  let sourceType: DType

  init(
    layout: MergedLayout, kernel: (time: Int, height: Int, width: Int), bias: Tensor?, form: Form, rounds: Bool,
    sourceType: DType
  ) {
    inputs = layout.inputs
    outputs = layout.outputs
    self.kernel = kernel
    self.bias = bias
    self.form = form
    self.rounds = rounds
    self.sourceType = sourceType
  }

  var layout: MergedLayout { MergedLayout(inputs: inputs, outputs: outputs, frames: kernel.time) }
}

/// How channels and outputs are arranged for oneDNN: frames side by side, padded to what its fast code takes.
struct MergedLayout: Hashable {
  static let multiple = 16
  /// Outputs of a block at most; a block's weights are read once for a whole tile.
  static let widestBlock = 256

  /// C and N of the convolution.
  let inputs: Int
  let outputs: Int
  /// Frames of the kernel.
  let frames: Int

  /// Channels of a merged pixel: frame by frame, then zeros.
  var channels: Int { MergedLayout.rounded(frames * inputs) }

  var blocks: Int { (outputs + MergedLayout.widestBlock - 1) / MergedLayout.widestBlock }

  /// Outputs of each block, padded; all blocks are alike.
  var block: Int { MergedLayout.rounded((outputs + blocks - 1) / blocks) }

  /// The real outputs of a block; none in a block that is all padding.
  func columns(_ index: Int) -> Range<Int> {
    min(outputs, index * block)..<min(outputs, (index + 1) * block)
  }

  private static func rounded(_ extent: Int) -> Int {
    (extent + multiple - 1) / multiple * multiple
  }
}
