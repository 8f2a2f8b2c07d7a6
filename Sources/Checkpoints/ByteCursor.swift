import Tensors

/// Walks over a stretch of a file's bytes; every read is bounds-checked and fails with the byte's offset.
struct ByteCursor {
  let path: String
  let storage: Storage
  /// Offset of the next byte, from the start of the file.
  private(set) var position: Int
  let end: Int

  /// - Parameter range: inside the storage.
  init(_ storage: Storage, in range: Range<Int>, path: String) {
    precondition(range.lowerBound >= 0 && range.upperBound <= storage.byteCount, "a cursor over \(range)")
    self.storage = storage
    self.path = path
    position = range.lowerBound
    end = range.upperBound
  }

  var remaining: Int { end - position }

  /// The next byte, left where it is; `nil` at the end.
  var next: UInt8? { position < end ? storage[byteAt: position] : nil }

  mutating func byte() throws(CheckpointError) -> UInt8 {
    try need(1)
    defer { position += 1 }
    return storage[byteAt: position]
  }

  mutating func skip(_ count: Int) throws(CheckpointError) {
    try need(count)
    position += count
  }

  /// A little-endian unsigned integer.
  mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
    _ type: Value.Type
  ) throws(CheckpointError) -> Value {
    try need(MemoryLayout<Value>.size)
    var value: Value = 0
    for i in 0..<MemoryLayout<Value>.size { value |= Value(storage[byteAt: position + i]) << Value(8 * i) }
    position += MemoryLayout<Value>.size
    return value
  }

  /// A little-endian unsigned integer that must fit in an `Int`.
  mutating func count<Value: FixedWidthInteger & UnsignedInteger>(
    _ type: Value.Type
  ) throws(CheckpointError) -> Int {
    let start = position
    let value = try integer(type)
    guard let count = Int(exactly: value) else {
      throw failure("the number \(value) is too large", at: start, advice: CheckpointError.downloadAgain)
    }
    return count
  }

  mutating func bytes(_ count: Int) throws(CheckpointError) -> [UInt8] {
    try need(count)
    defer { position += count }
    return storage.withBytes(in: position..<position + count) { span in span.indices.map { span[$0] } }
  }

  /// UTF-8 text of so many bytes.
  mutating func text(_ count: Int) throws(CheckpointError) -> String {
    let start = position
    guard let text = String(validating: try bytes(count), as: UTF8.self) else {
      throw failure("\(count) bytes of text are not valid UTF-8", at: start, advice: CheckpointError.downloadAgain)
    }
    return text
  }

  /// A cursor from another byte of the same stretch to its end.
  func moved(to offset: Int) throws(CheckpointError) -> ByteCursor {
    guard offset >= 0, offset <= end else {
      throw failure("byte \(offset) lies behind byte \(end)", advice: CheckpointError.downloadAgain)
    }
    return ByteCursor(storage, in: offset..<end, path: path)
  }

  func failure(_ problem: String, at offset: Int? = nil, advice: String? = nil) -> CheckpointError {
    CheckpointError(path: path, at: .byte(offset ?? position), problem, advice: advice)
  }

  private func need(_ count: Int) throws(CheckpointError) {
    guard count >= 0, count <= remaining else {
      throw failure("\(count) bytes are needed, \(remaining) are left", advice: CheckpointError.downloadAgain)
    }
  }
}
