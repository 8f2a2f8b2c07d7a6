/// Reads JSON front to back, member by member in the file's order, without building a tree unless asked to; RFC 8259.
///
/// Repeated keys of ``object(_:)`` reach the caller. Nesting is bounded, keys are short enough to be compared, and errors
/// carry the byte.
///
/// What every byte goes through is inlinable: its callers lie in other modules, and a large header takes a sixth longer
/// through generic code that stays in this one. Escapes and trees are rare.
public struct JSONReader<Failure: ReadingFailure> {
  /// Deeper nesting is refused; the files of models need ten levels.
  @inlinable static var maximumDepth: Int { 32 }

  @usableFromInline let bytes: [UInt8]
  @usableFromInline let path: String
  /// Where `bytes` begins in the file.
  @usableFromInline let start: Int
  /// Called with the work done since the last call; throws to end the reading.
  @usableFromInline let onWork: ((_ bytes: Int) throws(Failure) -> Void)?
  @usableFromInline var position = 0
  @usableFromInline var depth = 0
  /// What a tree keeps where an object has a name twice.
  @usableFromInline let repeated: RepeatedMembers
  /// Values that have become trees.
  @usableFromInline var treeValues = 0

  /// - Parameters:
  ///   - bytes: a text in UTF-8, with a byte order mark in front or without.
  ///   - path: for errors.
  ///   - start: where the text begins in the file.
  ///   - repeated: what a tree keeps where an object has a name twice.
  ///   - onWork: called now and then with how many bytes were read; throws to end the reading.
  @inlinable
  public init(
    _ bytes: [UInt8], path: String, at start: Int = 0, repeated: RepeatedMembers = .refused,
    onWork: ((_ bytes: Int) throws(Failure) -> Void)? = nil
  ) {
    (self.bytes, self.path, self.start, self.repeated, self.onWork) = (bytes, path, start, repeated, onWork)
    // A byte order mark says nothing that UTF-8 needs; editors of Windows write it.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// The error of a problem at the next byte.
  public func failure(_ reason: String) -> Failure { failure(reason, at: position) }

  @usableFromInline
  func failure(_ reason: String, at position: Int) -> Failure {
    Failure(ReadingProblem(path: path, offset: start + position, reason: reason))
  }

  /// An object; `member` must read or ``skip()`` each value.
  @inlinable
  public mutating func object(
    _ member: (inout JSONReader, _ key: String) throws(Failure) -> Void
  ) throws(Failure) {
    try sequence("{", "}") { (json: inout JSONReader) throws(Failure) in
      let key = try json.string(limit: NameLimits.longest)
      guard !NameLimits.isCostly(key) else {
        throw json.failure("a name with more than \(NameLimits.longestRunOfMarks) combining marks in a row")
      }
      try json.expect(":")
      try member(&json, key)
    }
  }

  /// An array; `element` must read or ``skip()`` each value.
  @inlinable
  public mutating func array(_ element: (inout JSONReader) throws(Failure) -> Void) throws(Failure) {
    try sequence("[", "]", element)
  }

  /// Passes over a value of any kind.
  @inlinable
  public mutating func skip() throws(Failure) {
    switch peek() {
    case UInt8(ascii: "{"): try object { (json: inout JSONReader, _: String) throws(Failure) in try json.skip() }
    case UInt8(ascii: "["): try array { (json: inout JSONReader) throws(Failure) in try json.skip() }
    case UInt8(ascii: "\""): try skipString()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default: _ = try number()
    }
  }

  /// The end of the text: nothing but white space may follow.
  @inlinable
  public mutating func end() throws(Failure) {
    guard peek() == nil else { throw failure("nothing may follow the JSON text") }
  }

  /// The first byte of the next value, left where it is; `nil` at the end.
  @inlinable
  public mutating func peek() -> UInt8? {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      position += 1
    }
    return nil
  }

  /// Passes over one of JSON's own characters.
  @inlinable
  public mutating func expect(_ scalar: Unicode.Scalar) throws(Failure) {
    guard take(scalar) else { throw failure("'\(scalar)' is expected") }
  }

  @inlinable
  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: scalar) else { return false }
    position += 1
    return true
  }

  @inlinable
  mutating func literal(_ word: String) throws(Failure) {
    let text = Array(word.utf8)
    guard bytes[position...].starts(with: text) else { throw failure("'\(word)' is expected") }
    position += text.count
  }

  @inlinable
  mutating func sequence(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ item: (inout JSONReader) throws(Failure) -> Void
  ) throws(Failure) {
    try expect(open)
    guard depth < Self.maximumDepth else { throw failure("JSON nested deeper than \(Self.maximumDepth)") }
    depth += 1
    defer { depth -= 1 }
    if take(close) { return }
    while true {
      let before = position
      try item(&self)
      try onWork?(position - before)
      if take(close) { return }
      try expect(",")
    }
  }

  // MARK: Numbers

  /// A finite number.
  @inlinable
  public mutating func number() throws(Failure) -> Double {
    _ = peek()
    let first = position
    while position < bytes.count, Self.isNumberPart(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[first..<position], as: UTF8.self)
    guard let value = Double(text), value.isFinite, text.utf8.first != UInt8(ascii: "+") else {
      throw failure("a JSON value is expected", at: first)
    }
    return value
  }

  /// An integer of zero or more, exactly, without fraction or exponent.
  @inlinable
  public mutating func integer() throws(Failure) -> Int {
    _ = peek()
    let first = position
    var value = 0
    while position < bytes.count, case let digit = bytes[position], 0x30...0x39 ~= digit {
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = scaled.addingReportingOverflow(Int(digit - 0x30))
      guard !overflow, !carry else { throw failure("the number is too large", at: first) }
      value = sum
      position += 1
    }
    guard position > first, position == bytes.count || !Self.isNumberPart(bytes[position]) else {
      throw failure("an integer of zero or more is expected", at: first)
    }
    return value
  }

  /// An array of at most `limit` integers of zero or more.
  @inlinable
  public mutating func integers(limit: Int) throws(Failure) -> [Int] {
    var values: [Int] = []
    try array { (json: inout JSONReader) throws(Failure) in
      guard values.count < limit else { throw json.failure("the list has more than \(limit) numbers") }
      values.append(try json.integer())
    }
    return values
  }

  @inlinable
  static func isNumberPart(_ byte: UInt8) -> Bool {
    switch Unicode.Scalar(byte) {
    case "0"..."9", "-", "+", ".", "e", "E": true
    default: false
    }
  }
}

// MARK: - Strings

extension JSONReader {
  /// - Parameter limit: the most bytes that the string may have; those that are compared with others need one.
  @inlinable
  public mutating func string(limit: Int = .max) throws(Failure) -> String {
    let first = position
    var text: [UInt8] = []
    try appendString(to: &text)
    guard text.count <= limit else { throw failure("a string of more than \(limit) bytes", at: first) }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw failure("a string is not valid UTF-8", at: first)
    }
    return string
  }

  @inlinable
  mutating func skipString() throws(Failure) { _ = try string() }

  /// Appends a string's bytes, escapes decoded. The bytes of the file are taken as they are.
  @inlinable
  public mutating func appendString(to text: inout [UInt8]) throws(Failure) {
    try expect("\"")
    var run = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        text += bytes[run..<position]
        position += 1
        return
      case UInt8(ascii: "\\"):
        text += bytes[run..<position]
        position += 1
        try appendEscape(to: &text)
        run = position
      case 0..<0x20: throw failure("a control character inside a string")
      default: position += 1
      }
    }
    throw failure("a string without an end")
  }

  @usableFromInline
  mutating func appendEscape(to text: inout [UInt8]) throws(Failure) {
    guard position < bytes.count else { throw failure("an escape without an end") }
    let letter = bytes[position]
    position += 1
    switch Unicode.Scalar(letter) {
    case "\"", "\\", "/": text.append(letter)
    case "b": text.append(0x08)
    case "f": text.append(0x0C)
    case "n": text.append(0x0A)
    case "r": text.append(0x0D)
    case "t": text.append(0x09)
    case "u": text += String(try escapedScalar()).utf8
    default: throw failure("an unknown escape inside a string")
    }
  }

  private mutating func escapedScalar() throws(Failure) -> Unicode.Scalar {
    let unit = try hexadecimal()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard unit < 0xDC00, bytes[position...].starts(with: Array("\\u".utf8)) else {
      throw failure("half a surrogate pair inside a string")
    }
    position += 2
    let low = try hexadecimal()
    guard 0xDC00...0xDFFF ~= low, let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) else {
      throw failure("half a surrogate pair inside a string")
    }
    return scalar
  }

  private mutating func hexadecimal() throws(Failure) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
        throw failure("four hexadecimal digits are expected")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
