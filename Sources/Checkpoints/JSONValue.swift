package import Tensors

/// A JSON text as a tree, for small files whose members are looked for by name.
///
/// Values are told apart by their own types: `true` is never a number.
package enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Reads the whole of a text, with a byte order mark in front or without.
  ///
  /// - Throws: ``CheckpointError`` at the byte that is wrong; also where values nest too deeply, or a member occurs twice.
  package init(parsing text: Storage, path: String) throws(CheckpointError) {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let hasMark = text.byteCount >= mark.count && mark.indices.allSatisfy { text[byteAt: $0] == mark[$0] }
    var json = JSONCursor(ByteCursor(text, in: (hasMark ? mark.count : 0)..<text.byteCount, path: path))
    self = try json.value()
    try json.end()
  }
}

extension JSONCursor {
  /// A value of any kind.
  fileprivate mutating func value() throws(CheckpointError) -> JSONValue {
    switch peek() {
    case UInt8(ascii: "{"): .object(try members())
    case UInt8(ascii: "["): .array(try elements())
    case UInt8(ascii: "\""): .string(try string())
    case UInt8(ascii: "t"): try literal("true", .bool(true))
    case UInt8(ascii: "f"): try literal("false", .bool(false))
    case UInt8(ascii: "n"): try literal("null", .null)
    default: .number(try number())
    }
  }

  private mutating func members() throws(CheckpointError) -> [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    try object { (json: inout JSONCursor, key: String) throws(CheckpointError) in
      guard members.updateValue(try json.value(), forKey: key) == nil else {
        throw json.failure("the member '\(key)' occurs twice")
      }
    }
    return members
  }

  private mutating func elements() throws(CheckpointError) -> [JSONValue] {
    var elements: [JSONValue] = []
    try array { (json: inout JSONCursor) throws(CheckpointError) in elements.append(try json.value()) }
    return elements
  }

  private mutating func literal(_ word: String, _ value: JSONValue) throws(CheckpointError) -> JSONValue {
    try literal(word)
    return value
  }
}
