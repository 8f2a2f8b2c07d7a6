/// A checkpoint, seen as tensors by name; headers are read when it is opened, elements when they are asked for.
public protocol WeightSource: Sendable {
  /// Where the tensors come from, for error messages: a file or folder path.
  var location: String { get }
  /// The files that hold the tensors, as far as there are any.
  var files: [String] { get }
  /// Every tensor's name, in the file's order.
  var names: [String] { get }
  /// Shape and type without touching the elements; `nil` for a name that is not there, and for a tensor whose type the
  /// engine does not have.
  func descriptor(_ name: String) -> TensorDescriptor?
  /// The element type by its safetensors name, also where the engine has no such type ("F8_E4M3"); `nil` for a name that
  /// is not there.
  func storedType(_ name: String) -> String?
  /// The shape, also where the engine has no such type; `nil` for a name that is not there.
  func storedShape(_ name: String) -> Shape?
  /// The tensor, in place where the file is mapped and its alignment allows.
  func tensor(_ name: String) throws(WeightError) -> Tensor
  /// Gives back the memory that mapped elements hold; they are read from the file again when looked at.
  ///
  /// For a checkpoint that stays open after its network is gone.
  func discardCachedPages()
}

extension WeightSource {
  public var files: [String] { [location] }

  public func storedType(_ name: String) -> String? { descriptor(name)?.dtype.rawValue }

  public func storedShape(_ name: String) -> Shape? { descriptor(name)?.shape }

  /// The error of a tensor that has no descriptor: its type is not read, or it is missing.
  public func noDescriptor(_ name: String) -> WeightError {
    guard let type = storedType(name) else { return .missing(name: name, location: location) }
    return .unread(names: [name], types: [type], total: names.count, location: location)
  }

  /// The error that names every tensor of a type that the engine does not have; `nil` where there is none.
  public var unreadTypes: WeightError? {
    let unread = names.filter { descriptor($0) == nil && storedType($0) != nil }
    if unread.isEmpty { return nil }
    return .unread(
      names: unread, types: Set(unread.compactMap(storedType)).sorted(), total: names.count, location: location)
  }

  public func discardCachedPages() {}
}

/// What a checkpoint's header says of one tensor.
public struct TensorDescriptor: Sendable, Hashable {
  /// As stored, not as a layer wants it.
  public let shape: Shape
  /// As stored, whatever the engine will compute in.
  public let dtype: DType

  /// What a source of one's own gives for each of its names.
  public init(shape: Shape, dtype: DType) {
    self.shape = shape
    self.dtype = dtype
  }
}

/// Why a checkpoint's tensors cannot be used.
public enum WeightError: Error, Sendable, Hashable, CustomStringConvertible {
  /// No tensor of this dotted name.
  case missing(name: String, location: String)
  /// A tensor of another shape than the ones given, which stand as text.
  case misshapen(name: String, expected: [String], found: String, location: String)
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
      "\(location): tensor '\(name)' has shape \(found), expected \(expected.joined(separator: " or "))"
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
