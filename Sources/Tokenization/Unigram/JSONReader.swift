/// Reads JSON from bytes, front to back, without building a tree unless asked to.
struct JSONReader {
  /// Deeper nesting is refused; tokenizer files need ten levels.
  static let maximumDepth = 64
  /// The most values that become trees: a value of two bytes takes many more in memory. Tokenizer files have thousands.
  static let maximumValues = 1 << 18

  let bytes: [UInt8]
  let file: String
  private(set) var position = 0
  private var values = 0
  private var cancellation = CancellationPoint()

  init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
    // A byte order mark in front says nothing that UTF-8 needs; editors of Windows write it.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  func failure(_ reason: String) -> TokenizerError { .malformed(file: file, offset: position, reason: reason) }

  /// The next byte that is not white space, not consumed; nil at the end.
  mutating func peek() -> UInt8? {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      position += 1
    }
    return nil
  }

  mutating func expect(_ byte: UInt8) throws(TokenizerError) {
    guard peek() == byte else { throw failure("expected \"\(Character(Unicode.Scalar(byte)))\"") }
    position += 1
  }

  /// Consumes `byte` if it is next.
  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  /// Reads an object, calling `member` before each value; `member` must consume the value.
  mutating func object(
    _ member: (inout JSONReader, String) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    try expect(UInt8(ascii: "{"))
    if take(UInt8(ascii: "}")) { return }
    repeat {
      let key = try string()
      guard key.utf8.count <= JSONValue.longestWord else { throw failure("a key of \(key.utf8.count) bytes") }
      try expect(UInt8(ascii: ":"))
      try member(&self, key)
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  /// Reads an array, calling `element` before each value; `element` must consume the value.
  mutating func array(_ element: (inout JSONReader) throws(TokenizerError) -> Void) throws(TokenizerError) {
    try expect(UInt8(ascii: "["))
    if take(UInt8(ascii: "]")) { return }
    repeat { try element(&self) } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
  }

  /// Notes that a value is about to become part of a tree.
  mutating func countValue() throws(TokenizerError) {
    values += 1
    guard values <= Self.maximumValues else {
      throw failure("more than \(Self.maximumValues) values beside the vocabulary")
    }
    try pass(1 << 6)
  }

  /// Counts so much work; fails once the task is cancelled.
  mutating func pass(_ work: Int) throws(TokenizerError) {
    do throws(CancellationError) { try cancellation.pass(work) } catch { throw .cancelled }
  }

  mutating func number() throws(TokenizerError) -> Double {
    guard peek() != nil else { throw failure("expected a number") }
    let start = position
    while position < bytes.count, isNumberByte(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      position = start
      throw failure("expected a finite number")
    }
    return value
  }

  private func isNumberByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
      UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  mutating func string() throws(TokenizerError) -> String {
    let start = position
    var text: [UInt8] = []
    try appendString(to: &text)
    guard let string = String(validating: text, as: UTF8.self) else {
      position = start
      throw failure("a string is not UTF-8")
    }
    return string
  }

  /// Appends a string's bytes, escapes decoded. The bytes of the file are taken as they are.
  mutating func appendString(to text: inout [UInt8]) throws(TokenizerError) {
    try expect(UInt8(ascii: "\""))
    let start = position
    var runStart = start
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        text += bytes[runStart..<position]
        position += 1
        try pass(position - start)
        return
      case UInt8(ascii: "\\"):
        text += bytes[runStart..<position]
        position += 1
        try appendEscape(to: &text)
        runStart = position
      case 0..<0x20: throw failure("a control character in a string")
      default: position += 1
      }
    }
    throw failure("a string without an end")
  }

  private mutating func appendEscape(to text: inout [UInt8]) throws(TokenizerError) {
    guard position < bytes.count else { throw failure("an escape without an end") }
    let letter = bytes[position]
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text += String(try escapedScalar()).utf8
    default: throw failure("an unknown escape")
    }
  }

  private mutating func escapedScalar() throws(TokenizerError) -> Unicode.Scalar {
    let unit = try hexQuad()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard unit < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { throw failure("half of a surrogate pair") }
    position += 2
    let low = try hexQuad()
    guard (0xDC00...0xDFFF).contains(low),
      let scalar = Unicode.Scalar(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
    else { throw failure("half of a surrogate pair") }
    return scalar
  }

  private mutating func hexQuad() throws(TokenizerError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw failure("an escape without an end") }
    var value: UInt32 = 0
    for byte in bytes[position..<(position + 4)] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw failure("expected four hex digits") }
      value = value << 4 | UInt32(digit)
    }
    position += 4
    return value
  }

  /// Consumes `word` if it is next.
  mutating func takeWord(_ word: StaticString) -> Bool {
    let text = Array(String(describing: word).utf8)
    guard peek() != nil, bytes[position...].starts(with: text) else { return false }
    position += text.count
    return true
  }

  /// Fails unless nothing but white space is left.
  mutating func finish() throws(TokenizerError) {
    if peek() != nil { throw failure("something follows the end of the document") }
  }
}
