/// Walks the fields of one protocol-buffer message.
struct ProtobufReader {
  enum Value {
    case integer(UInt64)
    case word(UInt32)
    case long
    case bytes(Range<Int>)
  }

  let bytes: [UInt8]
  private let file: String
  private var position: Int
  private let end: Int

  init(_ bytes: [UInt8], file: String) {
    self.init(bytes, file: file, range: 0..<bytes.count)
  }

  private init(_ bytes: [UInt8], file: String, range: Range<Int>) {
    self.bytes = bytes
    self.file = file
    position = range.lowerBound
    end = range.upperBound
  }

  /// A reader of the message in `range`, which this one returned.
  func nested(_ range: Range<Int>) -> ProtobufReader { ProtobufReader(bytes, file: file, range: range) }

  func failure(_ reason: String) -> TokenizerError { .malformed(file: file, offset: position, reason: reason) }

  /// The next field, or nil at the end of the message.
  mutating func next() throws(TokenizerError) -> (number: Int, value: Value)? {
    guard position < end else { return nil }
    let tag = try varint()
    guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw failure("a field numbered \(tag >> 3)") }
    let number = Int(tag >> 3)
    switch tag & 7 {
    case 0: return (number, .integer(try varint()))
    case 1:
      _ = try take(8)
      return (number, .long)
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else { throw failure("a field of \(length) bytes, past the end") }
      return (number, .bytes(try take(Int(length))))
    case 5: return (number, .word(bytes[try take(4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }))
    default: throw failure("wire type \(tag & 7)")
    }
  }

  private mutating func take(_ count: Int) throws(TokenizerError) -> Range<Int> {
    guard count <= end - position else { throw failure("the message ends inside a field") }
    defer { position += count }
    return position..<(position + count)
  }

  private mutating func varint() throws(TokenizerError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard position < end else { throw failure("the message ends inside a number") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw failure("a number of more than 64 bits")
  }
}
