import ArgumentParser
import Files
import Foundation

/// Where text goes: reports on standard output, everything about the run on standard error. Text that cannot be written
/// is dropped: no reader is worth a run.
enum Console {
  /// A line of a result, which waits for its reader.
  static func out(_ line: String) { TextStream.output.deliver(TerminalText.printable(line) + "\n") }

  static func note(_ line: String) { TextStream.errors.write(TerminalText.printable(line) + "\n") }

  /// Text of this program's own, without a line's end, for a line that is drawn again.
  static func draw(_ text: String) { TextStream.errors.write(text) }

  /// Whether somebody watches standard error.
  static var isTerminal: Bool { TextStream.errors.isTerminal }

  /// Columns that a line of standard error may have.
  static var columns: Int { TextStream.errors.columns ?? 80 }

  /// Whether some text for standard error was dropped.
  static var hasLostText: Bool { TextStream.errors.failure != nil }

  /// What the terminal of standard error measures.
  static var terminalSize: TerminalSize {
    guard let size = TextStream.errors.extents, size.rows > 0 else { return TerminalSize(columns: 80, rows: 24) }
    guard size.width >= size.columns, size.height >= size.rows else {
      return TerminalSize(columns: size.columns, rows: size.rows)
    }
    return TerminalSize(
      columns: size.columns, rows: size.rows, cellWidth: size.width / size.columns,
      cellHeight: size.height / size.rows)
  }

  /// A result as one line of JSON.
  static func json(_ value: some Encodable) {
    if let line = jsonLine(value) { TextStream.output.deliver(line) }
  }

  /// An event of a run as one line of JSON, for which the run does not wait long.
  static func event(_ value: some Encodable) {
    if let line = jsonLine(value) { TextStream.output.write(line) }
  }

  private static func jsonLine(_ value: some Encodable) -> String? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map {
      TerminalText.printableJSON(String(decoding: $0, as: UTF8.self)) + "\n"
    }
  }

  /// For commands whose output is their result.
  ///
  /// - Throws: status 1 when some of it could not be written.
  static func requireOutput() throws {
    guard let failure = TextStream.output.failure else { return }
    note("Error: the report could not be written: \(failure)")
    throw ExitCode.failure
  }
}

/// Text as a terminal may show it: names and messages out of files could hold what moves its cursor, changes its title
/// or turns its lines around.
enum TerminalText {
  /// Control characters and marks of direction as `\u{1B}`; line feeds stay.
  static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { isUnsafe($0) && $0 != "\n" }) else { return text }
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      if isUnsafe(scalar), scalar != "\n" {
        result += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }

  /// The same in JSON's own escapes: in a document they can only stand inside of strings.
  static func printableJSON(_ json: String) -> String {
    guard json.unicodeScalars.contains(where: isUnsafe) else { return json }
    return json.unicodeScalars.reduce(into: "") { result, scalar in
      if isUnsafe(scalar) {
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }

  /// Controls of both ranges, line and paragraph separators, and marks that change the direction of what follows: all
  /// within four hexadecimal digits.
  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

/// Numbers as people read them.
enum Format {
  static func gibibytes(_ bytes: Int) -> String {
    bytes < 1 << 30
      ? fixed(Double(bytes) / Double(1 << 20), 0) + " MiB" : fixed(Double(bytes) / Double(1 << 30), 1) + " GiB"
  }

  /// "4.2 s", "3:05", "1:02:07".
  static func duration(_ seconds: Double) -> String {
    if seconds < 60 { return fixed(seconds, 1) + " s" }
    let whole = Int(seconds.rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    let tail = (rest < 10 ? "0" : "") + "\(rest)"
    return hours > 0 ? "\(hours):\(minutes < 10 ? "0" : "")\(minutes):\(tail)" : "\(minutes):\(tail)"
  }

  /// "1 step", "20 steps".
  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  static func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// "24", "29.97": at most three digits behind the point.
  static func rate(_ value: Double) -> String {
    let text = fixed(value, 3)
    return value == value.rounded() ? fixed(value, 0) : text.hasSuffix("0") ? fixed(value, 2) : text
  }
}
