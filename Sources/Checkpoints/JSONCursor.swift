import Tensors

/// Reads JSON member by member, in the file's order, without building a tree; RFC 8259.
///
/// Repeated keys reach the caller, who refuses them; errors carry the byte. Nesting is bounded.
struct JSONCursor {
  static let maximumDepth = 32

  private(set) var bytes: ByteCursor
  private var depth = 0

  init(_ bytes: ByteCursor) {
    self.bytes = bytes
  }

  /// An object; `member` must read or ``skip()`` each value.
  mutating func object(
    _ member: (inout JSONCursor, _ key: String) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try sequence("{", "}") { (json: inout JSONCursor) throws(CheckpointError) in
      let key = try json.string(limit: CheckpointError.longestName)
      guard !key.isCostlyName else {
        throw json.failure("a name with more than \(CheckpointError.longestRunOfMarks) combining marks in a row")
      }
      try json.expect(":")
      try member(&json, key)
    }
  }

  /// An array; `element` must read or ``skip()`` each value.
  mutating func array(_ element: (inout JSONCursor) throws(CheckpointError) -> Void) throws(CheckpointError) {
    try sequence("[", "]", element)
  }

  /// An array of at most `limit` integers of zero or more.
  mutating func integers(limit: Int) throws(CheckpointError) -> [Int] {
    var values: [Int] = []
    try array { (json: inout JSONCursor) throws(CheckpointError) in
      guard values.count < limit else { throw json.failure("the list has more than \(limit) numbers") }
      values.append(try json.integer())
    }
    return values
  }

  /// An integer of zero or more, without fraction or exponent.
  mutating func integer() throws(CheckpointError) -> Int {
    skipSpace()
    let start = bytes.position
    var value = 0
    while let digit = bytes.next, digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") {
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = scaled.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
      guard !overflow, !carry else { throw bytes.failure("the number is too large", at: start) }
      value = sum
      try bytes.skip(1)
    }
    guard bytes.position > start, !isNumberPart(bytes.next) else {
      throw bytes.failure("an integer of zero or more is expected", at: start)
    }
    return value
  }

  /// Passes over a value of any kind.
  mutating func skip() throws(CheckpointError) {
    switch peek() {
    case UInt8(ascii: "{"):
      try object { (json: inout JSONCursor, _: String) throws(CheckpointError) in try json.skip() }
    case UInt8(ascii: "["): try array { (json: inout JSONCursor) throws(CheckpointError) in try json.skip() }
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default: _ = try number()
    }
  }

  /// A finite number.
  mutating func number() throws(CheckpointError) -> Double {
    skipSpace()
    let start = bytes.position
    var text: [UInt8] = []
    while let byte = bytes.next, isNumberPart(byte) {
      text.append(byte)
      try bytes.skip(1)
    }
    guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite, text.first != UInt8(ascii: "+")
    else { throw bytes.failure("a JSON value is expected", at: start, advice: CheckpointError.downloadAgain) }
    return value
  }

  /// The end of the text: nothing but white space may follow.
  mutating func end() throws(CheckpointError) {
    skipSpace()
    guard bytes.remaining == 0 else { throw failure("nothing may follow the JSON text") }
  }

  /// The first byte of the next value, left where it is; `nil` at the end.
  mutating func peek() -> UInt8? {
    skipSpace()
    return bytes.next
  }

  func failure(_ problem: String) -> CheckpointError {
    bytes.failure(problem, advice: CheckpointError.downloadAgain)
  }

  private mutating func sequence(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ item: (inout JSONCursor) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try expect(open)
    guard depth < Self.maximumDepth else { throw failure("JSON nested deeper than \(Self.maximumDepth)") }
    depth += 1
    defer { depth -= 1 }
    if try take(close) { return }
    while true {
      try item(&self)
      if try take(close) { return }
      try expect(",")
    }
  }

  private mutating func take(_ scalar: Unicode.Scalar) throws(CheckpointError) -> Bool {
    skipSpace()
    guard bytes.next == UInt8(ascii: scalar) else { return false }
    try bytes.skip(1)
    return true
  }

  private mutating func expect(_ scalar: Unicode.Scalar) throws(CheckpointError) {
    guard try take(scalar) else { throw failure("'\(scalar)' is expected") }
  }

  mutating func literal(_ word: String) throws(CheckpointError) {
    for byte in word.utf8 {
      guard bytes.next == byte else { throw failure("'\(word)' is expected") }
      try bytes.skip(1)
    }
  }

  private mutating func skipSpace() {
    while let byte = bytes.next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      guard (try? bytes.skip(1)) != nil else { return }
    }
  }

  private func isNumberPart(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return switch Unicode.Scalar(byte) {
    case "0"..."9", "-", "+", ".", "e", "E": true
    default: false
    }
  }
}

// MARK: - Strings

extension JSONCursor {
  /// - Parameter limit: the most bytes that the string may have; those that are compared with others need one.
  mutating func string(limit: Int = .max) throws(CheckpointError) -> String {
    try expect("\"")
    let start = bytes.position
    var text: [UInt8] = []
    while true {
      guard text.count <= limit else {
        throw bytes.failure("a string of more than \(limit) bytes", at: start, advice: CheckpointError.downloadAgain)
      }
      switch try bytes.byte() {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw bytes.failure("a string is not valid UTF-8", at: start, advice: CheckpointError.downloadAgain)
        }
        return string
      case UInt8(ascii: "\\"): text.append(contentsOf: try escape().utf8)
      case let byte where byte < 0x20: throw failure("a control character inside a string")
      case let byte: text.append(byte)
      }
    }
  }

  private mutating func escape() throws(CheckpointError) -> Character {
    switch Unicode.Scalar(try bytes.byte()) {
    case "\"": "\""
    case "\\": "\\"
    case "/": "/"
    case "b": "\u{8}"
    case "f": "\u{C}"
    case "n": "\n"
    case "r": "\r"
    case "t": "\t"
    case "u": try unicodeEscape()
    default: throw failure("an unknown escape inside a string")
    }
  }

  private mutating func unicodeEscape() throws(CheckpointError) -> Character {
    var value = try hexadecimal()
    if (0xD800..<0xDC00).contains(value) {
      try literal("\\u")
      let low = try hexadecimal()
      guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair inside a string") }
      value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(value) else { throw failure("half a surrogate pair inside a string") }
    return Character(scalar)
  }

  private mutating func hexadecimal() throws(CheckpointError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(try bytes.byte())).hexDigitValue else {
        throw failure("four hexadecimal digits are expected")
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
