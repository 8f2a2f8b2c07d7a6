/// Tokens that are found in text as they are written, before anything else is done to it.
struct AddedTokens: Sendable {
  struct Token: Sendable {
    var id: Int32
    var content: String
    /// Takes the white space before it along.
    var stripsLeft = false
    var stripsRight = false
    /// Counts only where no word character touches it.
    var isSingleWord = false
    /// Is looked for in normalised text, else in the text as given.
    var isNormalized = false
  }

  /// A stretch of text, or a token in it.
  enum Part: Sendable, Equatable {
    case text(Range<Int>)
    case token(Int32)
  }

  private let tokens: [Token]
  private let trie: PieceTrie
  private var firstBytes = [Bool](repeating: false, count: 256)

  init(_ tokens: [Token]) {
    self.tokens = tokens
    var trie = PieceTrie()
    for (index, token) in tokens.enumerated() {
      guard let first = token.content.utf8.first else { continue }
      firstBytes[Int(first)] = true
      trie.insert(Array(token.content.utf8)[...], number: Int32(index))
    }
    self.trie = trie
  }

  /// Cuts `text`, which is UTF-8, at every token: the first one from the left, the longest of those at one place.
  func split(_ text: [UInt8]) -> [Part] {
    var parts: [Part] = []
    var textStart = 0
    var position = 0
    while position < text.count {
      guard firstBytes[Int(text[position])], let (token, end) = longestToken(text, at: position) else {
        position += 1
        continue
      }
      let start = position
      position = end
      if token.isSingleWord, touchesWord(text, start..<end) { continue }
      let left = token.stripsLeft ? max(whitespaceStart(text, before: start), textStart) : start
      if textStart < left { parts.append(.text(textStart..<left)) }
      parts.append(.token(token.id))
      textStart = token.stripsRight ? whitespaceEnd(text, after: end) : end
      position = max(position, textStart)
    }
    if textStart < text.count { parts.append(.text(textStart..<text.count)) }
    return parts
  }

  private func longestToken(_ text: [UInt8], at start: Int) -> (Token, end: Int)? {
    var found: (Token, Int)?
    var node = PieceTrie.root
    var end = start
    while end < text.count, let next = trie.step(node, text[end]) {
      node = next
      end += 1
      let index = trie.number(at: node)
      if index >= 0 { found = (tokens[Int(index)], end) }
    }
    return found
  }

  private func touchesWord(_ text: [UInt8], _ range: Range<Int>) -> Bool {
    let before = String(decoding: text[..<range.lowerBound].suffix(4), as: UTF8.self).unicodeScalars.last
    let after = String(decoding: text[range.upperBound...].prefix(4), as: UTF8.self).unicodeScalars.first
    return before.map(Self.isWord) ?? false || after.map(Self.isWord) ?? false
  }

  /// The Unicode definition of a word character (UTS 18, annex C).
  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .decimalNumber, .connectorPunctuation, .nonspacingMark, .spacingMark, .enclosingMark: true
    default: scalar.properties.isAlphabetic || scalar.properties.isJoinControl
    }
  }

  private func whitespaceStart(_ text: [UInt8], before end: Int) -> Int {
    var start = end
    for scalar in String(decoding: text[..<end], as: UTF8.self).unicodeScalars.reversed() {
      guard scalar.properties.isWhitespace else { break }
      start -= String(scalar).utf8.count
    }
    return start
  }

  private func whitespaceEnd(_ text: [UInt8], after start: Int) -> Int {
    var end = start
    for scalar in String(decoding: text[start...], as: UTF8.self).unicodeScalars {
      guard scalar.properties.isWhitespace else { break }
      end += String(scalar).utf8.count
    }
    return end
  }
}
