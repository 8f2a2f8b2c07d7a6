import Files

/// Walks the fields of one protocol-buffer message.
struct ProtobufReader {
  typealias Cursor = ByteCursor<[UInt8], TokenizerError>

  enum Value {
    case integer(UInt64)
    case word(UInt32)
    case long
    case bytes(Range<Int>)
  }

  private var cursor: Cursor

  init(_ bytes: [UInt8], file: String) {
    cursor = Cursor(bytes, in: 0..<bytes.count, path: file)
  }

  private init(_ cursor: Cursor) {
    self.cursor = cursor
  }

  /// Of the whole file.
  var bytes: [UInt8] { cursor.source }

  /// A reader of the message in `range`, which this one returned.
  func nested(_ range: Range<Int>) -> ProtobufReader {
    ProtobufReader(Cursor(cursor.source, in: range, path: cursor.path))
  }

  func failure(_ reason: String) -> TokenizerError { cursor.failure(reason) }

  /// The next field, or nil at the end of the message.
  mutating func next() throws(TokenizerError) -> (number: Int, value: Value)? {
    guard cursor.remaining > 0 else { return nil }
    let tag = try cursor.variableInteger()
    guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw failure("a field numbered \(tag >> 3)") }
    let number = Int(tag >> 3)
    switch tag & 7 {
    case 0: return (number, .integer(try cursor.variableInteger()))
    case 1:
      try cursor.skip(8)
      return (number, .long)
    case 2:
      let length = try cursor.variableInteger()
      guard length <= UInt64(cursor.remaining) else { throw failure("a field of \(length) bytes, past the end") }
      let start = cursor.position
      try cursor.skip(Int(length))
      return (number, .bytes(start..<cursor.position))
    case 5: return (number, .word(try cursor.integer(UInt32.self)))
    default: throw failure("wire type \(tag & 7)")
    }
  }
}
