/// What a key of a settings file holds.
enum SettingValue: Equatable, Sendable {
  case text(String)
  /// A number as it is written, without underscores.
  case number(String)
  case truth(Bool)
  case list([SettingValue])
}

/// A key of a settings file, where it stands.
struct SettingEntry: Equatable, Sendable {
  /// The table that it stands in: ["bench", "vae"]; empty at the top.
  let table: [String]
  let key: String
  let value: SettingValue
  /// Counted from 1.
  let line: Int
}

/// What is wrong in a settings file, and where: line and column are counted from 1, the column in characters.
struct SettingsSyntaxError: Error, Equatable {
  let line, column: Int
  let reason: String
}

/// Reads the part of TOML 1.0 that settings need: comments, tables, keys, strings on one line, whole and decimal numbers,
/// truth values and arrays of these. What TOML has beyond it is refused by name.
struct SettingsReader {
  /// More bytes than anybody's settings have.
  static let limit = 1 << 18

  private let text: [Character]
  private var position = 0
  private var line = 1
  private var lineStart = 0
  private var table: [String] = []
  private var tables: Set<[String]> = []
  private var keys: Set<[String]> = []
  private var entries: [SettingEntry] = []

  /// The entries of a file in their order.
  static func entries(of text: String) throws(SettingsSyntaxError) -> [SettingEntry] {
    var reader = SettingsReader(text: text.map { $0 })
    while reader.skipSpace(withLines: true) { try reader.statement() }
    return reader.entries
  }

  private init(text: [Character]) { self.text = text }

  private var next: Character? { position < text.count ? text[position] : nil }

  private func failure(_ reason: String, at place: Int? = nil) -> SettingsSyntaxError {
    SettingsSyntaxError(line: line, column: (place ?? position) - lineStart + 1, reason: reason)
  }

  private func starts(with word: String) -> Bool { text[position...].starts(with: word) }

  /// - Returns: whether anything is left.
  private mutating func skipSpace(withLines: Bool = false) -> Bool {
    while let sign = next {
      if sign == "#" {
        while let sign = next, !sign.isNewline { position += 1 }
      } else if withLines, sign.isNewline {
        position += 1
        (line, lineStart) = (line + 1, position)
      } else if sign == " " || sign == "\t" {
        position += 1
      } else {
        return true
      }
    }
    return false
  }

  private mutating func take(_ sign: Character, _ what: String) throws(SettingsSyntaxError) {
    guard next == sign else { throw failure("expected \(what)") }
    position += 1
  }

  private mutating func endOfLine() throws(SettingsSyntaxError) {
    guard !skipSpace() || next?.isNewline == true else { throw failure("expected the line's end") }
  }

  private mutating func statement() throws(SettingsSyntaxError) {
    if next == "[" { return try header() }
    let (place, key) = (position, try name())
    _ = skipSpace()
    guard next != "." else { throw failure("keys with points are not read here; write a table: [\(key)]") }
    try take("=", "'=' after the key")
    _ = skipSpace()
    let start = line
    guard keys.insert(table + [key]).inserted else { throw failure("'\(key)' stands here twice", at: place) }
    entries.append(SettingEntry(table: table, key: key, value: try value(), line: start))
    try endOfLine()
  }

  private mutating func header() throws(SettingsSyntaxError) {
    let place = position
    position += 1
    guard next != "[" else { throw failure("arrays of tables, [[...]], are not read here") }
    var names: [String] = []
    repeat {
      if !names.isEmpty { position += 1 }
      _ = skipSpace()
      names.append(try name())
      _ = skipSpace()
    } while next == "."
    try take("]", "']'")
    guard tables.insert(names).inserted else {
      throw failure("the table [\(names.joined(separator: "."))] stands here twice", at: place)
    }
    table = names
    try endOfLine()
  }

  private mutating func name() throws(SettingsSyntaxError) -> String {
    if next == "\"" || next == "'" { return try string() }
    let start = position
    while let sign = next, sign.isASCII, sign.isLetter || sign.isNumber || sign == "-" || sign == "_" { position += 1 }
    guard position > start else { throw failure("expected a key") }
    return String(text[start..<position])
  }

  private mutating func value() throws(SettingsSyntaxError) -> SettingValue {
    switch next {
    case "\"", "'": return .text(try string())
    case "[": return try list()
    case "{": throw failure("inline tables, {...}, are not read here")
    case nil: throw failure("expected a value")
    default: return try word()
    }
  }

  private mutating func list() throws(SettingsSyntaxError) -> SettingValue {
    position += 1
    var values: [SettingValue] = []
    while skipSpace(withLines: true), next != "]" {
      guard next != "[" else { throw failure("arrays in arrays are not read here") }
      values.append(try value())
      guard skipSpace(withLines: true), next == "," else { break }
      position += 1
    }
    try take("]", "',' or ']' in the array")
    return .list(values)
  }

  /// A truth value or a number.
  private mutating func word() throws(SettingsSyntaxError) -> SettingValue {
    let start = position
    while let sign = next, sign.isASCII, sign.isLetter || sign.isNumber || "+-_.:".contains(sign) { position += 1 }
    let word = String(text[start..<position])
    if word == "true" || word == "false" { return .truth(word == "true") }
    guard word.wholeMatch(of: /[+-]?(0|[1-9](_?[0-9])*)(\.[0-9](_?[0-9])*)?([eE][+-]?[0-9](_?[0-9])*)?/) != nil else {
      throw failure(
        word.isEmpty ? "expected a value" : "'\(word)' is no number; write words between quotation marks", at: start)
    }
    return .number((word.hasPrefix("+") ? word.dropFirst() : word[...]).filter { $0 != "_" })
  }

  private mutating func string() throws(SettingsSyntaxError) -> String {
    let (mark, start) = (text[position], position)
    guard !starts(with: String(repeating: mark, count: 3)) else {
      throw failure("strings over many lines are not read here; write it on one line, with \\n")
    }
    position += 1
    var result = ""
    while let sign = next, sign != mark, !sign.isNewline {
      position += 1
      if sign == "\\", mark == "\"" { result.unicodeScalars.append(try escape()) } else { result.append(sign) }
      guard !sign.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" || $0.value == 0x7F }) else {
        throw failure("a control character must be written as \\u0000", at: position - 1)
      }
    }
    guard next == mark else { throw failure("the string has no end", at: start) }
    position += 1
    return result
  }

  /// What stands behind a backslash.
  private mutating func escape() throws(SettingsSyntaxError) -> Unicode.Scalar {
    let known: [Character: Unicode.Scalar] = [
      "b": "\u{8}", "t": "\t", "n": "\n", "f": "\u{C}", "r": "\r", "\"": "\"", "\\": "\\",
    ]
    let place = position - 1
    guard let sign = next else { throw failure("the string has no end", at: place) }
    position += 1
    if let scalar = known[sign] { return scalar }
    let count = sign == "u" ? 4 : sign == "U" ? 8 : 0
    let digits = String(text[position...].prefix(count))
    guard count > 0, digits.count == count, digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16),
      let scalar = Unicode.Scalar(value)
    else { throw failure("'\\\(sign)' is no escape of TOML's; write \\\\ for a backslash", at: place) }
    position += count
    return scalar
  }
}
