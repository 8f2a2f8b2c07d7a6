import Tensors

/// A convolution's weights. The frames of the kernel are merged into the channels, so that oneDNN sees images alone.
final class CPUConvolution: PreparedConvolution {
  enum Form {
    /// A kernel of one point: a linear over pixels.
    case product(CPULinear)
    /// A kernel over merged pixels.
    case windows(WindowWeights)
    /// Four 2x2 kernels over the small image, one per output phase (row, column).
    case upsampled([WindowWeights])
  }

  let layout: MergedLayout
  let kernel: (time: Int, height: Int, width: Int)
  /// [N] float32.
  let bias: Tensor?
  let form: Form
  let rounds: Bool
  /// What the products read.
  let sourceType: DType
  let geometry: ConvolutionGeometry
  private let backend: CPUBackend

  init(
    _ layout: MergedLayout, kernel: (time: Int, height: Int, width: Int), bias: Tensor?,
    geometry: ConvolutionGeometry, form: Form, precision: Precision, _ backend: CPUBackend
  ) {
    self.layout = layout
    self.kernel = kernel
    self.bias = bias
    self.form = form
    self.geometry = geometry
    rounds = precision == .bf16
    sourceType = backend.sourceType(precision)
    self.backend = backend
  }

  func callAsFunction(_ x: Tensor, history: Tensor?, activation: Activation, output: DType) -> Tensor {
    backend.convolution(x, history: history, self, activation: activation, output: output)
  }

  var inputs: Int { layout.inputs }
  var outputs: Int { layout.outputs }
}

/// How channels and outputs are arranged: frames side by side, padded to what fast code takes.
struct MergedLayout: Hashable {
  /// Outputs of a block at most; a block's weights are read once for a whole tile.
  private static let widestBlock = 320

  /// C and N of the convolution.
  let inputs: Int
  let outputs: Int
  /// Frames of the kernel.
  let frames: Int
  /// Channels and outputs are padded to multiples of this, the width of the machine's vectors.
  let multiple: Int

  /// Channels of a merged pixel: frame by frame, then zeros.
  var channels: Int { rounded(frames * inputs) }

  var blocks: Int { (outputs + MergedLayout.widestBlock - 1) / MergedLayout.widestBlock }

  /// Outputs of each block, padded; all blocks are alike.
  var block: Int { rounded((outputs + blocks - 1) / blocks) }

  /// The real outputs of a block; none in a block that is all padding.
  func columns(_ index: Int) -> Range<Int> {
    min(outputs, index * block)..<min(outputs, (index + 1) * block)
  }

  private func rounded(_ extent: Int) -> Int {
    (extent + multiple - 1) / multiple * multiple
  }
}
