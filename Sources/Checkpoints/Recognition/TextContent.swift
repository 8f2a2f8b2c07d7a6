/// What the beginning of a text file says it is, where it came in place of another file.
struct TextContent {
  /// The whole file where it is short, its beginning else; without a byte order mark and white space in front.
  private let text: String
  private let isWhole: Bool

  /// `nil` for what is no UTF-8 text.
  init?(_ head: [UInt8], byteCount: Int) {
    isWhole = head.count == byteCount
    var bytes = head.withoutByteOrderMark
    // The beginning of a longer file may end inside a character.
    if !isWhole { while let last = bytes.last, last >= 0x80 { bytes = bytes.dropLast() } }
    guard let text = String(validating: bytes, as: UTF8.self),
      !text.unicodeScalars.contains(where: { $0.value < 0x20 && !"\t\n\r\u{C}".unicodeScalars.contains($0) })
    else { return nil }
    self.text = String(text.drop { $0.isWhitespace })
  }

  /// What came instead, whatever was expected.
  var replacement: ForeignContent? {
    if let pointer = lfsPointer { return pointer }
    let start = text.prefix(64).lowercased()
    if ["<!doctype html", "<html", "<head", "<body", "<script", "<title", "<!--", "<meta"].contains(
      where: start.hasPrefix)
    {
      let title = between("<title", "</title").map { String($0.drop { $0 != ">" }.dropFirst()) }
      return ForeignContent(what: "a web page" + Self.quoted(title), advice: ForeignContent.downloadFailed)
    }
    if start.hasPrefix("<?xml") || start.hasPrefix("<error") {
      let code = (between("<Code", "</Code") ?? between("<Message", "</Message")).map {
        String($0.drop { $0 != ">" }.dropFirst())
      }
      return ForeignContent(
        what: "an XML message of a server" + Self.quoted(code), advice: ForeignContent.downloadFailed)
    }
    if isWhole, text.utf8.count < 512, start.hasPrefix("../") || start.hasPrefix("/annex/objects/") {
      return ForeignContent(
        what: "the text of a link" + Self.quoted(text),
        advice: "copy the file that it names, with tools that know links (cp -rL), or download it again")
    }
    return nil
  }

  /// A server's `{"error": "..."}` where a file of JSON was expected.
  private var errorMessage: ForeignContent? {
    guard isWhole, text.utf8.count < 4096, text.hasPrefix("{") else { return nil }
    let keys = ["error", "errors", "message", "detail", "Message", "Error"]
    let compact = text.filter { !$0.isWhitespace }
    guard keys.contains(where: { compact.contains("\"\($0)\":") }),
      !compact.contains("\"model_type\":"), !compact.contains("\"weight_map\":"), !compact.contains("\"vocab\":")
    else { return nil }
    return ForeignContent(
      what: "an error message of a server" + Self.quoted(text), advice: ForeignContent.downloadFailed)
  }

  /// Any text but JSON where JSON was expected; how far it is JSON its reader says.
  var notJSON: ForeignContent? {
    if let errorMessage { return errorMessage }
    guard let first = text.first, first != "{", first != "[" else { return nil }
    return ForeignContent(what: "text, not JSON" + Self.quoted(text), advice: ForeignContent.downloadFailed)
  }

  /// Any text where bytes were expected.
  func notBytes(_ expected: String) -> ForeignContent? {
    if let message = errorMessage { return message }
    if text.hasPrefix("{") || text.hasPrefix("[") {
      return ForeignContent(what: "JSON, \(expected)" + Self.quoted(text), advice: ForeignContent.downloadFailed)
    }
    guard !text.isEmpty else { return nil }
    return ForeignContent(what: "text, \(expected)" + Self.quoted(text), advice: ForeignContent.downloadFailed)
  }

  private var lfsPointer: ForeignContent? {
    guard text.hasPrefix("version https://git-lfs") || text.hasPrefix("version https://hawser") else { return nil }
    let size = between("\nsize ", "\n").map { ", which has \($0.prefix(20)) bytes" } ?? ""
    return ForeignContent(
      what: "a pointer of git-lfs, not the file itself" + size,
      advice: "fetch it with 'git lfs install' and 'git lfs pull' in the model's folder, or download the file")
  }

  private func between(_ start: String, _ end: String) -> Substring? {
    guard let first = text.firstRange(of: start) else { return nil }
    let rest = text[first.upperBound...]
    guard let last = rest.firstRange(of: end) else { return nil }
    return rest[..<last.lowerBound]
  }

  /// ` ('...')`: the first words on one line.
  private static func quoted(_ text: String?) -> String {
    guard let text else { return "" }
    let line = text.prefix(400).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.isEmpty ? "" : ": '\(line.prefix(120))\(line.count > 120 ? "..." : "")'"
  }
}

extension Collection<UInt8> {
  /// The bytes behind a UTF-8 byte order mark, or all of them.
  var withoutByteOrderMark: SubSequence {
    starts(with: [0xEF, 0xBB, 0xBF]) ? dropFirst(3) : self[...]
  }
}
