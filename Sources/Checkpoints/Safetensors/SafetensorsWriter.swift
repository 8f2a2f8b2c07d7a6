import Files
public import Tensors

/// Writes a safetensors file as a stream: declare every tensor, then give their elements in that order.
///
/// Memory is that of one chunk. The file takes its name in ``finish()``; a writer dropped before leaves nothing behind.
public struct SafetensorsWriter: ~Copyable {
  /// A tensor to be written.
  public struct Entry: Sendable, Hashable {
    /// The dotted name; no two entries have the same.
    public let name: String
    /// Extents from the outermost axis to the innermost.
    public let shape: Shape
    /// The type that the elements are written in.
    public let dtype: DType

    /// A declaration; names are held against each other when the writer starts.
    public init(name: String, shape: Shape, dtype: DType) {
      self.name = name
      self.shape = shape
      self.dtype = dtype
    }

    var byteCount: Int { shape.count * dtype.byteCount }
  }

  /// What the header declares, in the order in which elements must come.
  public let entries: [Entry]
  /// The file's front, up to the first element.
  let header: [UInt8]
  let file: OutputFile
  /// The entry that the next bytes belong to, and how many of its bytes are there.
  private var current = 0
  private var written = 0

  /// Starts a file that will replace whatever is at `path`, and writes its header.
  public init(
    path: String, entries: [Entry], metadata: [(key: String, value: String)] = []
  ) throws(CheckpointError) {
    let header = try SafetensorsHeader.encoded(entries, metadata: metadata, path: path)
    let file: OutputFile
    do throws(FileError) {
      file = try OutputFile(path: path)
      try file.write(header.span)
    } catch {
      throw CheckpointError(error)
    }
    self.file = file
    self.header = header
    self.entries = entries
    skipEmpty()
  }

  /// Writes the next entry whole.
  public mutating func write(_ tensor: Tensor, as name: String) throws(CheckpointError) {
    guard current < entries.count, written == 0, entries[current].name == name else {
      // A tensor without elements was passed over already.
      if tensor.count == 0, entries.contains(where: { $0.name == name && $0.byteCount == 0 }) { return }
      throw misuse("'\(name)' is not the tensor whose turn it is")
    }
    guard tensor.shape == entries[current].shape, tensor.dtype == entries[current].dtype else {
      throw misuse("'\(name)' was declared \(entries[current].shape) \(entries[current].dtype.rawValue)")
    }
    try tensor.withBytes { (bytes: Span<UInt8>) throws(CheckpointError) in try write(bytes) }
  }

  /// Writes the next bytes of the entry whose turn it is: its elements, row-major, little-endian.
  public mutating func write(_ bytes: Span<UInt8>) throws(CheckpointError) {
    if bytes.isEmpty { return }
    guard current < entries.count, bytes.count <= entries[current].byteCount - written else {
      throw misuse("\(bytes.count) bytes are more than its entry takes")
    }
    do throws(FileError) { try file.write(bytes) } catch { throw CheckpointError(error) }
    written += bytes.count
    if written == entries[current].byteCount {
      (current, written) = (current + 1, 0)
      skipEmpty()
    }
  }

  /// Gives the file its name; every entry must have been written.
  public consuming func finish() throws(CheckpointError) {
    let file = try closed()
    do throws(FileError) { try file.commit() } catch { throw CheckpointError(error) }
  }

  /// The file, complete, under its temporary name.
  consuming func closed() throws(CheckpointError) -> OutputFile {
    guard current == entries.count else { throw misuse("its elements are not all there") }
    do throws(FileError) { try file.finish() } catch { throw CheckpointError(error) }
    return file
  }

  private mutating func skipEmpty() {
    while current < entries.count, entries[current].byteCount == 0 { current += 1 }
  }

  private func misuse(_ problem: String) -> CheckpointError {
    let place = current < entries.count ? CheckpointError.Place.key(entries[current].name) : .file
    return CheckpointError(path: file.path, at: place, problem)
  }
}
