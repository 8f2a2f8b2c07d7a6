/// ffmpeg's own text form of metadata, through which a comment of any length reaches the encoder and comes back.
enum MetadataText {
  private static let signature = ";FFMETADATA1\n"
  private static let special: Set<Character> = ["=", ";", "#", "\\", "\n"]

  static func encode(_ comment: String) -> String {
    var text = signature + "comment="
    for character in cleaned(comment) {
      if special.contains(character) { text.append("\\") }
      text.append(character)
    }
    return text + "\n"
  }

  /// The comment among the global tags, or nil.
  static func decode(_ text: String) -> String? {
    guard text.hasPrefix(signature) else { return nil }
    var line = ""
    var isEscaped = false
    for character in text.dropFirst(signature.count) {
      if isEscaped {
        line += "\\" + String(character)
      } else if character == "\n" {
        if let value = comment(in: line) { return value }
        if line.hasPrefix("[") { return nil }
        line = ""
      } else if character != "\\" {
        line.append(character)
      }
      isEscaped = !isEscaped && character == "\\"
    }
    return comment(in: line)
  }

  /// Without the zero bytes that end a string in C; every line break as one line feed.
  static func cleaned(_ comment: String) -> String {
    String(comment.filter { $0 != "\0" }.map { $0 == "\r\n" || $0 == "\r" ? "\n" : $0 })
  }

  private static func comment(in line: String) -> String? {
    guard line.lowercased().hasPrefix("comment=") else { return nil }
    var value = ""
    var isEscaped = false
    for character in line.dropFirst("comment=".count) {
      if character == "\\", !isEscaped {
        isEscaped = true
      } else {
        value.append(character)
        isEscaped = false
      }
    }
    return value
  }
}
