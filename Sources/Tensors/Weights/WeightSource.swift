/// A checkpoint, seen as tensors by name; headers are read when it is opened, elements when they are asked for.
public protocol WeightSource: Sendable {
  /// Where the tensors come from, for error messages: a file or folder path.
  var location: String { get }
  /// The files that hold the tensors, as far as there are any.
  var files: [String] { get }
  /// Every tensor's name, in the file's order.
  var names: [String] { get }
  /// Texts that the file carries beside its tensors; none by default.
  var metadata: [(key: String, value: String)] { get }
  /// Shape and format without touching the elements, also of formats that are not read; `nil` for a name that is not
  /// there.
  func descriptor(_ name: String) -> TensorDescriptor?
  /// The tensor, in place where the file is mapped and its alignment allows.
  func tensor(_ name: String) throws(WeightError) -> Tensor
  /// The matrix [N, K], or another tensor, of this name as it is stored, with what its numbers need beside them.
  ///
  /// By default a tensor of floating type, or bytes whose row scales lie under the name with ``QuantizedRows/scaleSuffix``.
  /// Codes that need decoding are given here alone; ``tensor(_:)`` has none of them.
  func matrix(_ name: String) throws(WeightError) -> StoredMatrix
  /// The names of what a matrix needs beside its numbers: its scales.
  func companions(of name: String) -> [String]
  /// Gives back the memory that mapped elements hold; they are read from the file again when looked at.
  ///
  /// For a checkpoint that stays open after its network is gone.
  func discardCachedPages()
}

extension WeightSource {
  public var files: [String] { [location] }

  public var metadata: [(key: String, value: String)] { [] }

  public func matrix(_ name: String) throws(WeightError) -> StoredMatrix { try storedMatrix(name) }

  /// What ``matrix(_:)`` gives by default.
  public func storedMatrix(_ name: String) throws(WeightError) -> StoredMatrix {
    guard let scales = companions(of: name).first else { return .dense(try tensor(name)) }
    return .scaledRows(QuantizedRows(values: try tensor(name), scales: try tensor(scales)))
  }

  public func companions(of name: String) -> [String] {
    guard let matrix = descriptor(name), matrix.dtype == .i8, matrix.shape.rank == 2,
      matrix.shape[1] <= QuantizedRows.longestRow,
      descriptor(name + QuantizedRows.scaleSuffix) == TensorDescriptor(shape: [matrix.shape[0]], dtype: .f32)
    else { return [] }
    return [name + QuantizedRows.scaleSuffix]
  }

  /// The error of a tensor that cannot be given: its format is not read, or it is missing.
  public func notRead(_ name: String) -> WeightError {
    guard let descriptor = descriptor(name) else { return .missing(name: name, location: location) }
    return .unread(names: [name], types: [descriptor.format.name], total: names.count, location: location)
  }

  /// The error that names every tensor of a format that is not read; `nil` where there is none.
  public var unreadTypes: WeightError? {
    let unread = names.compactMap { name in
      descriptor(name).flatMap { $0.format.isRead ? nil : (name: name, type: $0.format.name) }
    }
    if unread.isEmpty { return nil }
    return .unread(
      names: unread.map(\.name), types: Set(unread.map(\.type)).sorted(), total: names.count, location: location)
  }

  /// Bytes of all tensors as they are stored; the largest number there is where a file claims more.
  public var byteCount: Int {
    names.reduce(0) { total, name in
      let (sum, overflow) = total.addingReportingOverflow(descriptor(name)?.byteCount ?? 0)
      return overflow ? .max : sum
    }
  }

  public func discardCachedPages() {}
}

/// What a checkpoint's header says of one tensor.
public struct TensorDescriptor: Sendable, Hashable {
  /// As stored, not as a layer wants it.
  public let shape: Shape
  /// As stored, whatever the engine will compute in.
  public let format: ElementFormat
  /// Whether the writer may have added rows and columns of nothing, up to whole blocks of a card.
  public let isPadded: Bool

  /// What a source of one's own gives for each of its names.
  public init(shape: Shape, format: ElementFormat, isPadded: Bool = false) {
    (self.shape, self.format, self.isPadded) = (shape, format, isPadded)
  }

  /// Whether a tensor of this shape can be taken out: its own, or what is left without the padding.
  public func holds(_ wanted: Shape) -> Bool {
    if shape == wanted { return true }
    guard isPadded, shape.rank == wanted.rank else { return false }
    return zip(wanted.dimensions, shape.dimensions).allSatisfy { $0 <= $1 && $1 - $0 < 32 }
  }

  /// A tensor of one of the engine's types.
  public init(shape: Shape, dtype: DType) {
    self.init(shape: shape, format: ElementFormat(dtype))
  }

  /// The engine's type of its elements; `nil` where it has none, so that the tensor cannot be read by itself.
  public var dtype: DType? { format.dtype }

  /// Bytes that it takes; `nil` where that is not known.
  public var byteCount: Int? { format.byteCount(shape) }
}

/// Why a checkpoint's tensors cannot be used.
public enum WeightError: Error, Sendable, Hashable, CustomStringConvertible {
  /// No tensor of this dotted name.
  case missing(name: String, location: String)
  /// A tensor of another shape than expected; both stand as text.
  case misshapen(name: String, expected: String, found: String, location: String)
  /// Tensors that no layer asked for.
  case unused(names: [String], location: String)
  /// A tensor that is there and cannot be given: its type, or the file, does not allow it.
  case unreadable(name: String, location: String, reason: String)
  /// Tensors that are there and stored in types that the engine does not have, by the types' names in the file; of how
  /// many in all.
  case unread(names: [String], types: [String], total: Int, location: String)
  /// All that went wrong in one load, none of it nested further.
  case several([WeightError])

  public var description: String {
    switch self {
    case .missing(let name, let location): "\(location): tensor '\(name)' is missing"
    case .misshapen(let name, let expected, let found, let location):
      "\(location): tensor '\(name)' has shape \(found), expected \(expected)"
    case .unused(let names, let location):
      "\(location): \(names.count) tensor\(names.count == 1 ? "" : "s") that this model does not know: "
        + Self.list(names)
    case .unreadable(let name, let location, let reason): "\(location): tensor '\(name)': \(reason)"
    case .unread(let names, let types, let total, let location):
      "\(location): "
        + (names.count == 1 ? "tensor '\(names[0])' is" : "\(names.count) of \(total) tensors are")
        + " stored as \(types.joined(separator: ", ")), which \(types.count == 1 ? "is" : "are") not read yet"
        + (names.count == 1 ? "" : ": " + Self.list(names)) + "; take a checkpoint in BF16, F16 or F32"
    case .several(let errors):
      errors.prefix(12).map(\.description).joined(separator: "\n")
        + (errors.count > 12 ? "\nand \(errors.count - 12) more" : "")
    }
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(8).map { "'\($0)'" }.joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
  }
}
