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
    /// What the elements are written as; safetensors has those of one element a block.
    public let format: ElementFormat

    /// A declaration; names are held against each other when the writer starts.
    public init(name: String, shape: Shape, format: ElementFormat) {
      (self.name, self.shape, self.format) = (name, shape, format)
    }

    /// A declaration of elements of one of the engine's types.
    public init(name: String, shape: Shape, dtype: DType) {
      self.init(name: name, shape: shape, format: ElementFormat(dtype))
    }

    /// Whether a tensor is what was declared.
    func fits(_ tensor: Tensor) -> Bool { tensor.shape == shape && format == ElementFormat(tensor.dtype) }

    /// Bytes of all its elements.
    public var byteCount: Int { format.byteCount(shape) ?? 0 }
  }

  /// What the header declares, in the order in which elements must come.
  public var entries: [Entry] { body.entries }
  /// The file's front, up to the first element.
  let header: [UInt8]
  private var body: TensorBody

  /// Starts a file that will replace whatever is at `path`, and writes its header.
  public init(
    path: String, entries: [Entry], metadata: [(key: String, value: String)] = []
  ) throws(CheckpointError) {
    let header = try SafetensorsHeader.encoded(entries, metadata: metadata, path: path)
    body = try TensorBody(path: path, header: header, entries: entries, alignment: 1)
    self.header = header
  }

  /// Writes the next entry whole.
  public mutating func write(_ tensor: Tensor, as name: String) throws(CheckpointError) {
    try body.write(tensor, as: name)
  }

  /// Writes the next bytes of the entry whose turn it is: its elements, row-major, little-endian.
  public mutating func write(_ bytes: Span<UInt8>) throws(CheckpointError) { try body.write(bytes) }

  /// Gives the file its name; every entry must have been written.
  public consuming func finish() throws(CheckpointError) { try body.finish() }

  /// The file, complete, under its temporary name.
  consuming func closed() throws(CheckpointError) -> OutputFile { try body.closed() }
}
