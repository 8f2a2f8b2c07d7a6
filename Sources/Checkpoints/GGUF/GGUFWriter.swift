import Files
public import Tensors

/// Writes a GGUF file as a stream: declare free values and tensors, then give the tensors' bytes in that order.
///
/// Version 3, little-endian, tensors at multiples of 32 bytes. Memory is that of one chunk; the file takes its name in
/// ``finish()``. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
public struct GGUFWriter: ~Copyable {
  /// A free value.
  public enum Value: Sendable, Hashable {
    /// One of 32 bits without a sign.
    case integer(UInt32)
    /// float32.
    case number(Float)
    /// One byte.
    case bool(Bool)
    /// UTF-8.
    case string(String)
    /// Texts one behind the other.
    case strings([String])
    /// float32, one behind the other.
    case numbers([Float])
    /// Of 32 bits with a sign, one behind the other.
    case integers([Int32])
    /// Bytes without a sign.
    case bytes([UInt8])
  }

  private var body: TensorBody

  private static let alignment = 32

  /// Starts a file that will replace whatever is at `path`, and writes its front.
  ///
  /// - Throws: ``CheckpointError`` for a name that comes twice or a format that such files do not have.
  public init(
    path: String, entries: [SafetensorsWriter.Entry], values: [(key: String, value: Value)] = []
  ) throws(CheckpointError) {
    var front = GGUFBytes()
    front.append(Array("GGUF".utf8))
    front.integer(UInt32(3))
    front.integer(UInt64(entries.count))
    front.integer(UInt64(values.count))
    for (key, value) in values { front.value(value, key: key) }
    var names: Set<String> = []
    var offset = 0
    for entry in entries {
      guard names.insert(entry.name).inserted else {
        throw CheckpointError(path: path, at: .key(entry.name), "two tensors cannot have this name")
      }
      guard let type = entry.format.ggufType, entry.byteCount > 0 || entry.shape.count == 0 else {
        throw CheckpointError(path: path, at: .key(entry.name), "GGUF has no \(entry.format.name)")
      }
      front.text(entry.name)
      // Kernels of convolutions in time have five axes, one more than ggml has; the files that people share keep them.
      front.integer(UInt32(entry.shape.rank))
      for extent in entry.shape.dimensions.reversed() { front.integer(UInt64(extent)) }
      front.integer(type)
      front.integer(UInt64(offset))
      offset += (entry.byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
    }
    front.pad(to: Self.alignment)
    body = try TensorBody(path: path, header: front.bytes, entries: entries, alignment: Self.alignment)
  }

  /// Writes the next entry whole.
  public mutating func write(_ tensor: Tensor, as name: String) throws(CheckpointError) {
    try body.write(tensor, as: name)
  }

  /// Writes the next bytes of the entry whose turn it is: rows of whole blocks.
  public mutating func write(_ bytes: Span<UInt8>) throws(CheckpointError) { try body.write(bytes) }

  /// Gives the file its name; every entry must have been written.
  public consuming func finish() throws(CheckpointError) { try body.finish() }
}

/// The front of a GGUF file while it is put together.
private struct GGUFBytes {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ more: [UInt8]) { bytes += more }

  mutating func integer(_ value: some FixedWidthInteger) {
    for i in 0..<value.bitWidth / 8 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
  }

  /// Its length and its UTF-8.
  mutating func text(_ text: String) {
    integer(UInt64(text.utf8.count))
    bytes += text.utf8
  }

  mutating func pad(to alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }

  /// Key, type, value.
  mutating func value(_ value: GGUFWriter.Value, key: String) {
    text(key)
    switch value {
    case .integer(let number):
      type(.u32)
      integer(number)
    case .number(let number):
      type(.f32)
      integer(number.bitPattern)
    case .bool(let flag):
      type(.bool)
      bytes.append(flag ? 1 : 0)
    case .string(let text):
      type(.string)
      self.text(text)
    case .strings(let texts): array(.string, texts) { $0.text($1) }
    case .numbers(let numbers): array(.f32, numbers) { $0.integer($1.bitPattern) }
    case .integers(let numbers): array(.i32, numbers) { $0.integer($1) }
    case .bytes(let numbers): array(.u8, numbers) { $0.bytes.append($1) }
    }
  }

  private mutating func type(_ type: GGUFType) { integer(type.rawValue) }

  private mutating func array<Element>(
    _ element: GGUFType, _ elements: [Element], _ write: (inout GGUFBytes, Element) -> Void
  ) {
    type(.array)
    type(element)
    integer(UInt64(elements.count))
    for item in elements { write(&self, item) }
  }
}
