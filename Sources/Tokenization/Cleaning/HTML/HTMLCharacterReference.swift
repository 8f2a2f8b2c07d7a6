/// HTML character references in text, named and numeric.
enum HTMLCharacterReference {
  /// Decodes references that end in a semicolon and mean one thing (`ftfy.fixes.unescape_html`).
  static func unescapeTerminated(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    replacing(text, terminatedReference)
  }

  /// Decodes references as a browser does (Python's `html.unescape`, by the rules of HTML5).
  static func unescape(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    replacing(text) { text, start in numericReference(text, start) ?? namedReference(text, start) }
  }

  /// A replacement and the position after what it replaces.
  private typealias Reference = (replacement: [Unicode.Scalar], end: Int)

  private static func replacing(
    _ text: [Unicode.Scalar], _ reference: ([Unicode.Scalar], Int) -> Reference?
  ) -> [Unicode.Scalar] {
    guard text.contains("&") else { return text }
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var position = 0
    while position < text.count {
      if text[position] == "&", let (replacement, end) = reference(text, position) {
        result += replacement
        position = end
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return result
  }

  private static func terminatedReference(_ text: [Unicode.Scalar], _ start: Int) -> Reference? {
    guard let reference = oneTerminatedReference(text, start) else { return nil }
    return reference.replacement == ["&"] ? ampersand(text, reference.end) : reference
  }

  /// An ampersand, of which each pass over `&amp;amp;amp;...` undoes one level; past any honest depth all at once.
  private static func ampersand(_ text: [Unicode.Scalar], _ end: Int) -> Reference {
    var innermostEnd = end
    var levels = 1
    while let next = oneTerminatedReference(text, innermostEnd - 1), next.replacement == ["&"] {
      innermostEnd = next.end
      levels += 1
    }
    return (["&"], levels > maximumLevels ? innermostEnd : end)
  }

  private static let maximumLevels = 64

  /// The reference whose ampersand is, or would be, at `start`.
  private static func oneTerminatedReference(_ text: [Unicode.Scalar], _ start: Int) -> Reference? {
    let hasHash = start + 1 < text.count && text[start + 1] == "#"
    let nameStart = hasHash ? start + 2 : start + 1
    var end = nameStart
    while end < text.count, end - nameStart <= 24, text[end].isASCIIDigit || text[end].isASCIILetter { end += 1 }
    guard (1...24).contains(end - nameStart), end < text.count, text[end] == ";" else { return nil }
    if hasHash {
      guard let numeric = numericReference(text, start), numeric.end == end + 1 else { return nil }
      return numeric.replacement.contains(";") ? nil : numeric
    }
    let name = string(text[nameStart..<end])
    return (HTMLEntities.terminated(name) ?? HTMLEntities.capitalized(name)).map { ($0, end + 1) }
  }

  private static func numericReference(_ text: [Unicode.Scalar], _ start: Int) -> Reference? {
    guard start + 2 < text.count, text[start + 1] == "#" else { return nil }
    let isHex = text[start + 2] == "x" || text[start + 2] == "X"
    let digitsStart = isHex ? start + 3 : start + 2
    var end = digitsStart
    var number: UInt32 = 0
    while end < text.count, isHex ? text[end].isASCIIHexDigit : text[end].isASCIIDigit {
      let digit = UInt32(text[end].properties.numericType == nil ? (text[end].value | 0x20) - 87 : text[end].value - 48)
      number = min(number * (isHex ? 16 : 10) + digit, 0x110000)
      end += 1
    }
    guard end > digitsStart else { return nil }
    let hasSemicolon = end < text.count && text[end] == ";"
    return (character(number), hasSemicolon ? end + 1 : end)
  }

  /// The character of a number, with the replacements of HTML5: Windows-1252 for C1, nothing for other controls.
  private static func character(_ number: UInt32) -> [Unicode.Scalar] {
    switch number {
    case 0x0D: return ["\r"]
    case 0x80...0x9F: return [CodePage.windows1252.scalar(UInt8(number))]
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: return []
    case 0: return ["\u{FFFD}"]
    default:
      guard let scalar = Unicode.Scalar(number) else { return ["\u{FFFD}"] }
      return number & 0xFFFE == 0xFFFE ? [] : [scalar]
    }
  }

  private static func namedReference(_ text: [Unicode.Scalar], _ start: Int) -> Reference? {
    var end = start + 1
    while end < text.count, end - start <= 32, !endsName(text[end]) { end += 1 }
    let name = string(text[(start + 1)..<end])
    if end < text.count, text[end] == ";", let scalars = HTMLEntities.terminated(name) { return (scalars, end + 1) }
    for nameEnd in stride(from: end, to: start + 2, by: -1) {
      if let scalars = HTMLEntities.unterminated(string(text[(start + 1)..<nameEnd])) { return (scalars, nameEnd) }
    }
    return nil
  }

  private static func endsName(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\t", "\n", "\u{0C}", " ", "<", "&", "#", ";": true
    default: false
    }
  }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }
}

/// The named character references of HTML5.
private enum HTMLEntities {
  /// What a name that ends in a semicolon stands for. The semicolon is not part of `name`.
  static func terminated(_ name: String) -> [Unicode.Scalar]? { table.terminated[name] }

  /// What a name stands for without a semicolon: some old names of Latin-1 do.
  static func unterminated(_ name: String) -> [Unicode.Scalar]? { table.unterminated[name] }

  /// What `name` stands for when it is a lower-case name that was written in capitals, such as `NTILDE`.
  static func capitalized(_ name: String) -> [Unicode.Scalar]? {
    guard !name.utf8.contains(where: { (0x61...0x7A).contains($0) }), !startsWithUnterminated(name),
      let scalars = terminated(name.lowercased())
    else { return nil }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return Array(String(view).uppercased().unicodeScalars)
  }

  private static func startsWithUnterminated(_ name: String) -> Bool {
    name.count >= 2 && (2...name.count).contains { unterminated(String(name.prefix($0))) != nil }
  }

  private static let table: (terminated: [String: [Unicode.Scalar]], unterminated: [String: [Unicode.Scalar]]) = {
    var terminated: [String: [Unicode.Scalar]] = [:]
    var unterminated: [String: [Unicode.Scalar]] = [:]
    for entry in HTMLEntityData.all.split(separator: " ") {
      let parts = entry.split(separator: "=")
      guard parts.count == 2 else { continue }
      let scalars = parts[1].split(separator: "+").compactMap { UInt32($0, radix: 16).flatMap(Unicode.Scalar.init) }
      let name = String(parts[0].prefix { $0 != "!" })
      terminated[name] = scalars
      if parts[0].hasSuffix("!") { unterminated[name] = scalars }
    }
    return (terminated, unterminated)
  }()
}
