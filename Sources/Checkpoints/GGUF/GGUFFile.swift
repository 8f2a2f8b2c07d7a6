import Files
public import Tensors

/// A GGUF file, mapped: blocks of small numbers are looked at in place.
///
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
public struct GGUFFile: WeightSource {
  public let location: String
  private let storage: Storage
  private let header: GGUFHeader

  /// Maps the file and checks its header: every tensor's type, shape and bytes against the file's size.
  ///
  /// - Throws: ``CheckpointError`` at the byte or the tensor that is wrong.
  public init(path: String) throws(CheckpointError) {
    try self.init(openFile(path: path, expecting: .checkpoint), location: path)
  }

  /// Reads a file's bytes wherever they lie; `location` names them in errors.
  public init(_ storage: Storage, location: String) throws(CheckpointError) {
    var bytes = CheckpointCursor(storage, in: 0..<storage.byteCount, path: location)
    header = try GGUFHeader(parsing: &bytes)
    self.storage = storage
    self.location = location
  }

  public var names: [String] { header.entries.map(\.name) }

  /// The texts of keys such as `general.name`.
  public var metadata: [(key: String, value: String)] {
    header.values.keys.sorted().compactMap { key in
      key.hasPrefix("general.") ? text(key).map { (key, $0) } : nil
    }
  }

  /// A text that the file carries beside its tensors: `general.architecture`.
  public func text(_ key: String) -> String? {
    if case .string(let text)? = header.values[key] { text } else { nil }
  }

  /// A free value by its key.
  public subscript(key: String) -> GGUFValue? { header.values[key] }

  /// The texts of an array; none where there is no such key.
  public func strings(_ key: String) throws(CheckpointError) -> [String] {
    try array(key) { (array, bytes) throws(CheckpointError) in
      guard array.type == .string else { throw bytes.failure("'\(key)' holds no texts", at: array.range.lowerBound) }
      return try GGUFHeader.text(&bytes)
    }
  }

  /// The numbers of an array; none where there is no such key.
  public func numbers(_ key: String) throws(CheckpointError) -> [Double] {
    try array(key) { (array, bytes) throws(CheckpointError) in
      switch try GGUFValue.scalar(array.type, &bytes) {
      case .integer(let value): return Double(value)
      case .number(let value): return value
      default: throw bytes.failure("'\(key)' holds no numbers", at: array.range.lowerBound)
      }
    }
  }

  /// The bytes of an array of them; none where there is no such key.
  public func bytes(_ key: String) throws(CheckpointError) -> [UInt8] {
    guard case .array(let array)? = header.values[key], array.type.byteCount == 1 else { return [] }
    return storage.copy(array.range)
  }

  private func array<Element>(
    _ key: String, _ read: (GGUFArray, inout CheckpointCursor) throws(CheckpointError) -> Element
  ) throws(CheckpointError) -> [Element] {
    guard case .array(let array)? = header.values[key] else { return [] }
    var bytes = CheckpointCursor(storage, in: array.range, path: location)
    var elements: [Element] = []
    elements.reserveCapacity(array.count)
    for _ in 0..<array.count { elements.append(try read(array, &bytes)) }
    return elements
  }

  public func descriptor(_ name: String) -> TensorDescriptor? {
    entry(name).map { TensorDescriptor(shape: $0.shape, format: $0.format) }
  }

  public func discardCachedPages() { storage.discardCachedPages() }

  public func tensor(_ name: String) throws(WeightError) -> Tensor {
    guard let entry = entry(name) else { throw .missing(name: name, location: location) }
    guard let dtype = entry.format.dtype else { throw notRead(name) }
    return storage.tensor(entry.shape, dtype, at: entry.range.lowerBound)
  }

  public func matrix(_ name: String) throws(WeightError) -> StoredMatrix {
    guard let entry = entry(name) else { throw .missing(name: name, location: location) }
    if entry.format.dtype != nil { return .dense(try tensor(name)) }
    guard let coding = ElementCoding(rawValue: entry.format.name) else { throw notRead(name) }
    let row = entry.stored.last / coding.block.elements * coding.block.bytes
    let codes = Tensor(
      shape: [entry.stored.rows, row], dtype: .u8, storage: storage, byteOffset: entry.range.lowerBound)
    return .encoded(EncodedMatrix(shape: entry.stored, coding: coding, codes: codes).reshaped(entry.shape))
  }

  private func entry(_ name: String) -> GGUFEntry? {
    header.positions[name].map { header.entries[$0] }
  }
}
