/// A small JSON value, for the parts of a file whose form varies.
///
/// Texts are compared as Swift compares them, by canonical equivalence, which takes quadratic time for long runs of
/// combining marks: look a text up as a ``word`` or not at all.
enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// The longest text that is compared with others.
  static let longestWord = 512

  subscript(_ key: String) -> JSONValue? {
    if case .object(let members) = self, key.utf8.count <= Self.longestWord { members[key] } else { nil }
  }

  /// A text short enough to be compared.
  var word: String? { string.flatMap { $0.utf8.count <= Self.longestWord ? $0 : nil } }
  var isNull: Bool { if case .null = self { true } else { false } }

  var string: String? { if case .string(let value) = self { value } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

  /// A number that is a whole one from 0 to the largest `Int32`.
  var index: Int? {
    guard case .number(let value) = self, value >= 0, value <= Double(Int32.max), value == value.rounded() else {
      return nil
    }
    return Int(value)
  }

  private static func quoted(_ text: String) -> String {
    "\"\(String(String.UnicodeScalarView(text.unicodeScalars.prefix(40))))\""
  }

  /// A word for messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string(let value): Self.quoted(value)
    case .array: "an array"
    case .object: self["type"]?.string.map(Self.quoted) ?? "an object"
    }
  }
}

extension JSONReader {
  /// Reads one value of any form.
  mutating func value(depth: Int = 0) throws(TokenizerError) -> JSONValue {
    guard depth < Self.maximumDepth else { throw failure("nested more than \(Self.maximumDepth) deep") }
    try countValue()
    switch peek() {
    case UInt8(ascii: "{"):
      var members: [String: JSONValue] = [:]
      try object { (reader, key) throws(TokenizerError) in members[key] = try reader.value(depth: depth + 1) }
      return .object(members)
    case UInt8(ascii: "["):
      var elements: [JSONValue] = []
      try array { (reader) throws(TokenizerError) in elements.append(try reader.value(depth: depth + 1)) }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where takeWord("true"): return .bool(true)
    case UInt8(ascii: "f") where takeWord("false"): return .bool(false)
    case UInt8(ascii: "n") where takeWord("null"): return .null
    default: return .number(try number())
    }
  }
}
