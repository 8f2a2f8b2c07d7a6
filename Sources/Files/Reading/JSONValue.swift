/// A JSON text as a tree, for what is looked for by name.
///
/// Values are told apart by their own types: `true` is never a number. Texts are compared as Swift compares them, by
/// canonical equivalence, which takes quadratic time for long runs of combining marks: look a text up as a ``word`` or
/// not at all.
public enum JSONValue: Sendable {
  /// `null`, `true` and `false`, a finite number, a text.
  case null, bool(Bool), number(Double), string(String)
  /// Values in the file's order.
  case array([JSONValue])
  /// Members in the file's order, each of another name.
  case object(JSONMembers)

  /// Reads the whole of a text.
  ///
  /// - Throws: the error of the byte that is wrong; also where values nest too deeply or are too many, or a member
  ///   occurs twice.
  public init<Failure: ReadingFailure>(
    parsing bytes: [UInt8], path: String, as failure: Failure.Type
  ) throws(Failure) {
    var json = JSONReader<Failure>(bytes, path: path)
    self = try json.value()
    try json.end()
  }

  /// The longest text that is compared with others.
  public static let longestWord = 512

  /// A member's value; `nil` where there is none, or this is no object.
  public subscript(_ key: String) -> JSONValue? {
    if case .object(let members) = self, key.utf8.count <= Self.longestWord { members[key] } else { nil }
  }

  /// A text short enough to be compared.
  public var word: String? { string.flatMap { $0.utf8.count <= Self.longestWord ? $0 : nil } }
  /// Whether it is `null`.
  public var isNull: Bool { if case .null = self { true } else { false } }
  /// The text, where it is one.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The truth, where it is one.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The values, where it is an array.
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

  /// A number that is a whole one from 0 to the largest `Int32`.
  public var index: Int? {
    guard case .number(let value) = self, value >= 0, value <= Double(Int32.max), value == value.rounded() else {
      return nil
    }
    return Int(value)
  }

  private static func quoted(_ text: String) -> String {
    "\"\(String(String.UnicodeScalarView(text.unicodeScalars.prefix(40))))\""
  }

  /// A word for messages.
  public var kind: String {
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

/// The members of a JSON object in the file's order.
public struct JSONMembers: Sendable {
  /// In order.
  public private(set) var names: [String] = []
  private var values: [String: JSONValue] = [:]

  /// No members.
  public init() {}

  /// The value of a member.
  public subscript(_ name: String) -> JSONValue? { values[name] }

  /// Whether there are none.
  public var isEmpty: Bool { names.isEmpty }

  /// Adds a member, or gives another value to the one of this name, which keeps its place.
  ///
  /// - Returns: whether the name is new.
  mutating func update(_ name: String, _ value: JSONValue) -> Bool {
    let isNew = values.updateValue(value, forKey: name) == nil
    if isNew { names.append(name) }
    return isNew
  }
}

/// What becomes of a name that an object has twice, which RFC 8259 leaves open.
public enum RepeatedMembers: Sendable {
  /// The text is refused.
  case refused
  /// The last value counts, as most readers have it.
  case lastCounts
}

extension JSONReader {
  /// The most values that become trees: a value of two bytes takes many more in memory. Models' files have thousands.
  private static var maximumValues: Int { 1 << 18 }

  /// A value of any kind, as a tree.
  public mutating func value() throws(Failure) -> JSONValue {
    treeValues += 1
    guard treeValues <= Self.maximumValues else {
      throw failure("more than \(Self.maximumValues) values; no model's file has as many")
    }
    switch peek() {
    case UInt8(ascii: "{"): return .object(try members())
    case UInt8(ascii: "["):
      var elements: [JSONValue] = []
      try array { (json: inout JSONReader) throws(Failure) in elements.append(try json.value()) }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"):
      try literal("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try literal("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try literal("null")
      return .null
    default: return .number(try number())
    }
  }

  private mutating func members() throws(Failure) -> JSONMembers {
    var members = JSONMembers()
    try object { (json: inout JSONReader, key: String) throws(Failure) in
      guard members.update(key, try json.value()) || json.repeated == .lastCounts else {
        throw json.failure("the member '\(key)' occurs twice")
      }
    }
    return members
  }
}
