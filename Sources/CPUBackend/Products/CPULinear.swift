import COneDNN
import Tensors

/// A linear's weights, cut into blocks of outputs that are multiplied independently.
final class CPULinear: PreparedLinear {
  enum Form {
    /// [N, K] where it was found, a mapped file perhaps; our kernel lays it out while it multiplies.
    case plain(ProductWeight)
    /// One piece per block, in oneDNN's layout.
    case packed([PackedWeights])
  }

  let inputs: Int
  let outputs: Int
  /// [N] float32.
  let bias: Tensor?
  let form: Form
  /// Whether the inputs are rounded to bfloat16 before they are multiplied.
  let rounds: Bool
  /// The type that the products read.
  let sourceType: DType
  private let backend: CPUBackend

  /// - Parameter shape: [N, K]
  init(_ shape: Shape, bias: Tensor?, form: Form, rounds: Bool, sourceType: DType, _ backend: CPUBackend) {
    precondition(bias.map { $0.count == shape[0] } ?? true, "linear: bias for weight \(shape)")
    (outputs, inputs) = (shape[0], shape[1])
    self.bias = bias
    self.backend = backend
    self.form = form
    self.rounds = rounds
    self.sourceType = sourceType
  }

  func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor {
    backend.linear(x, self, activation: activation, output: output)
  }

  /// Outputs of a block.
  var block: Int { CPULinear.block(outputs, packed: isPacked) }

  var isPacked: Bool {
    if case .packed = form { true } else { false }
  }

  var blocks: Int { (outputs + block - 1) / block }

  /// The outputs of a block; none past the last.
  func columns(_ index: Int) -> Range<Int> {
    min(outputs, index * block)..<min(outputs, (index + 1) * block)
  }

  /// Narrow matrices get narrow blocks, so that many threads find work.
  static func block(_ outputs: Int, packed: Bool) -> Int {
    switch outputs {
    case ...1024: 128
    case ...4096: 256
    default: packed ? 512 : 256
    }
  }
}

/// A matrix [N, K] that our kernel lays out while it multiplies.
enum ProductWeight: Sendable {
  /// In float32 or bfloat16.
  case numbers(Tensor)
  /// In codes, which are decoded on the way.
  case codes(CodedMatrix)

  var shape: Shape {
    switch self {
    case .numbers(let tensor): tensor.shape
    case .codes(let matrix): matrix.shape
    }
  }
}
