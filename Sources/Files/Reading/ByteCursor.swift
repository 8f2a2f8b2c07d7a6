/// What a reader's errors are made of: bytes that are wrong, and where.
public struct ReadingProblem: Sendable {
  /// The file, as the caller gave it.
  public let path: String
  /// Bytes from the file's start.
  public let offset: Int
  /// What is wrong, without the place.
  public let reason: String

  @usableFromInline
  init(path: String, offset: Int, reason: String) {
    (self.path, self.offset, self.reason) = (path, offset, reason)
  }
}

/// An error that a ``ByteCursor`` or ``JSONReader`` can throw.
public protocol ReadingFailure: Error {
  /// The error of bytes that are wrong.
  init(_ problem: ReadingProblem)
}

/// Bytes at any position, all of them there.
public protocol RandomAccessBytes: Sendable {
  /// How many.
  var byteCount: Int { get }
  /// The byte at an offset; traps outside.
  subscript(byteAt offset: Int) -> UInt8 { get }
  /// A copy of a stretch; traps outside.
  func copy(_ range: Range<Int>) -> [UInt8]
}

extension [UInt8]: RandomAccessBytes {
  /// How many.
  @inlinable public var byteCount: Int { count }
  /// The byte at an offset.
  @inlinable public subscript(byteAt offset: Int) -> UInt8 { self[offset] }
  /// A copy of a stretch.
  @inlinable public func copy(_ range: Range<Int>) -> [UInt8] { [UInt8](self[range]) }
}

/// Walks over a stretch of a file's bytes; every read is bounds-checked and fails with the byte's offset.
///
/// What is called for every byte is inlinable: a vocabulary of a quarter of a million pieces is read through it, and
/// generic code that stays in another module takes twice as long.
@frozen
public struct ByteCursor<Source: RandomAccessBytes, Failure: ReadingFailure> {
  /// The file, as the caller gave it.
  public let path: String
  /// The whole file.
  public let source: Source
  /// Offset of the next byte, from the start of the file.
  @inlinable public var position: Int { offset }
  /// Offset of the first byte that is not the stretch's.
  public let end: Int
  @usableFromInline var offset: Int

  /// - Parameter range: inside the source.
  @inlinable
  public init(_ source: Source, in range: Range<Int>, path: String) {
    precondition(range.lowerBound >= 0 && range.upperBound <= source.byteCount, "a cursor over \(range)")
    self.source = source
    self.path = path
    (offset, end) = (range.lowerBound, range.upperBound)
  }

  /// Bytes that are left.
  @inlinable public var remaining: Int { end - position }

  /// The next byte, left where it is; `nil` at the end.
  @inlinable public var next: UInt8? { position < end ? source[byteAt: position] : nil }

  /// The next byte.
  @inlinable
  public mutating func byte() throws(Failure) -> UInt8 {
    try need(1)
    defer { offset += 1 }
    return source[byteAt: position]
  }

  /// Passes over bytes.
  @inlinable
  public mutating func skip(_ count: Int) throws(Failure) {
    try need(count)
    offset += count
  }

  /// A little-endian unsigned integer.
  @inlinable
  public mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
    _ type: Value.Type
  ) throws(Failure) -> Value {
    try need(MemoryLayout<Value>.size)
    var value: Value = 0
    for i in 0..<MemoryLayout<Value>.size { value |= Value(source[byteAt: position + i]) << Value(8 * i) }
    offset += MemoryLayout<Value>.size
    return value
  }

  /// A little-endian unsigned integer that must fit in an `Int`.
  @inlinable
  public mutating func count<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type) throws(Failure) -> Int {
    let start = position
    let value = try integer(type)
    guard let count = Int(exactly: value) else { throw failure("the number \(value) is too large", at: start) }
    return count
  }

  /// An unsigned integer in groups of seven bits, the lowest first, as protocol buffers have it.
  @inlinable public mutating func variableInteger() throws(Failure) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      let byte = try byte()
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw failure("a number of more than 64 bits")
  }

  /// A copy of the next bytes.
  @inlinable
  public mutating func bytes(_ count: Int) throws(Failure) -> [UInt8] {
    try need(count)
    defer { offset += count }
    return source.copy(position..<position + count)
  }

  /// UTF-8 text of so many bytes.
  public mutating func text(_ count: Int) throws(Failure) -> String {
    let start = position
    guard let text = String(validating: try bytes(count), as: UTF8.self) else {
      throw failure("\(count) bytes of text are not valid UTF-8", at: start)
    }
    return text
  }

  /// A cursor from another byte of the same stretch to its end.
  public func moved(to offset: Int) throws(Failure) -> ByteCursor {
    guard offset >= 0, offset <= end else { throw failure("byte \(offset) lies behind byte \(end)") }
    return ByteCursor(source, in: offset..<end, path: path)
  }

  /// The error of a problem at the next byte, or at another.
  @inlinable
  public func failure(_ reason: String, at offset: Int? = nil) -> Failure {
    Failure(ReadingProblem(path: path, offset: offset ?? position, reason: reason))
  }

  @inlinable
  func need(_ count: Int) throws(Failure) {
    guard count >= 0, count <= remaining else {
      throw failure("\(count) bytes are needed, \(remaining) are left")
    }
  }
}

/// How long names may be that are compared and hashed, which takes time that is quadratic in a run of combining marks.
public enum NameLimits {
  /// Bytes of a tensor's, entry's or member's name.
  public static let longest = 1024
  /// Combining marks in a row; Unicode's stream-safe text has as many (UAX 15).
  public static let longestRunOfMarks = 30

  /// Whether comparing a name would take longer than its bytes are worth.
  public static func isCostly(_ name: String) -> Bool {
    var run = 0
    for scalar in name.unicodeScalars {
      guard scalar.value >= 0x300, isMark(scalar) else {
        run = 0
        continue
      }
      run += 1
      if run > longestRunOfMarks { return true }
    }
    return false
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: scalar.properties.canonicalCombiningClass != .notReordered
    }
  }
}
