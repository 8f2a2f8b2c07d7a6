/// A matrix [N, K] as a checkpoint stores it: what ``Backend/prepare(_:bias:precision:)`` is given, untouched.
///
/// A backend multiplies a form as it is where it can, and takes ``dense`` where it cannot. Other tensors of a checkpoint
/// are stored in the same forms, and taken dense.
public enum StoredMatrix: Sendable {
  /// [N, K] of any floating type.
  case dense(Tensor)
  /// Bytes with a scale for each row.
  case scaledRows(QuantizedRows)
  /// Codes in blocks, with or without scales: 8-bit floats, the types of GGUF.
  case encoded(EncodedMatrix)

  /// [N, K]
  public var shape: Shape {
    switch self {
    case .dense(let tensor): tensor.shape
    case .scaledRows(let rows): rows.values.shape
    case .encoded(let matrix): matrix.shape
    }
  }

  /// The matrix in a floating type, in host memory: itself where it is stored so, else float32.
  public var dense: Tensor {
    switch self {
    case .dense(let tensor): tensor
    case .scaledRows(let rows): rows.floats
    case .encoded(let matrix): matrix.floats
    }
  }

  /// The same matrix where the file stores it under another shape: a 1x1 convolution, a patch.
  public func reshaped(_ shape: Shape) -> StoredMatrix {
    switch self {
    case .dense(let tensor): .dense(tensor.reshaped(shape))
    case .scaledRows: self
    case .encoded(let matrix): .encoded(matrix.reshaped(shape))
    }
  }

  /// The upper left part of a matrix that was stored with padding.
  public func cropped(to shape: Shape) -> StoredMatrix {
    if shape == self.shape { return self }
    guard case .encoded(let matrix) = self else { preconditionFailure("\(self.shape) has no padding around \(shape)") }
    return .encoded(matrix.cropped(to: shape))
  }

  /// Whether it lies in a file that is read anew for each pass; see ``Storage/isStreamed``.
  public var isStreamed: Bool {
    switch self {
    case .dense(let tensor): tensor.isStreamed
    case .scaledRows(let rows): rows.values.isStreamed
    case .encoded(let matrix): matrix.codes.isStreamed
    }
  }

  /// Gives back the memory that its mapped pages hold; see ``Tensor/discardCachedPages()``.
  public func discardCachedPages() {
    switch self {
    case .dense(let tensor): tensor.discardCachedPages()
    case .scaledRows(let rows): rows.values.discardCachedPages()
    case .encoded(let matrix): matrix.codes.discardCachedPages()
    }
  }
}
