import Files
public import Tensors

/// One safetensors file, mapped: tensors are looked at in place unless the file put them at an odd offset.
///
/// Format: https://github.com/huggingface/safetensors#format.
public struct SafetensorsFile: WeightSource {
  public let location: String
  private let storage: Storage
  private let header: SafetensorsHeader

  /// Maps the file and checks its header: every tensor's type, shape and bytes against the file's size.
  ///
  /// - Throws: ``CheckpointError`` at the byte or the tensor that is wrong.
  public init(path: String) throws(CheckpointError) {
    try self.init(openFile(path: path, expecting: .checkpoint), location: path)
  }

  /// Reads a file's bytes wherever they lie; `location` names them in errors.
  public init(_ storage: Storage, location: String) throws(CheckpointError) {
    var bytes = CheckpointCursor(storage, in: 0..<storage.byteCount, path: location)
    header = try SafetensorsHeader(parsing: &bytes)
    self.storage = storage
    self.location = location
  }

  public var names: [String] { header.entries.map(\.name) }

  /// The texts that the file carries beside its tensors, in its order.
  public var metadata: [(key: String, value: String)] { header.metadata }

  public func descriptor(_ name: String) -> TensorDescriptor? {
    entry(name).map { TensorDescriptor(shape: $0.shape, format: $0.format) }
  }

  public func discardCachedPages() { storage.discardCachedPages() }

  public func tensor(_ name: String) throws(WeightError) -> Tensor {
    guard let entry = entry(name) else { throw .missing(name: name, location: location) }
    guard let dtype = entry.format.dtype else { throw notRead(name) }
    return storage.tensor(entry.shape, dtype, at: entry.range.lowerBound)
  }

  /// Codes that are numbers by themselves, 8-bit floats, are read in rows where they are a matrix.
  public func matrix(_ name: String) throws(WeightError) -> StoredMatrix {
    guard let entry = entry(name), let coding = ElementCoding(rawValue: entry.format.name), coding.block.elements == 1
    else { return try storedMatrix(name) }
    let rows: Shape = entry.shape.rank == 2 ? entry.shape : [1, entry.shape.count]
    let codes = storage.tensor(rows, .u8, at: entry.range.lowerBound)
    return .encoded(EncodedMatrix(shape: rows, coding: coding, codes: codes).reshaped(entry.shape))
  }

  /// Reads the file's front, up to the first element.
  func withHeader<R>(_ body: (Span<UInt8>) -> R) -> R {
    storage.withBytes(in: 0..<header.byteCount, body)
  }

  private func entry(_ name: String) -> SafetensorsEntry? {
    header.positions[name].map { header.entries[$0] }
  }
}
