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

  /// More than any tokenizer adds; UMT5's adds some hundred.
  static let maximumCount = 1 << 14
  /// Steps of the normalizer for all tokens together: each takes some microseconds, however short the token.
  static let maximumSteps = 1 << 16

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
  func split(_ text: [UInt8], _ budget: inout TextBudget) throws(TokenizerError) -> [Part] {
    var parts: [Part] = []
    var textStart = 0
    var position = 0
    while position < text.count {
      try budget.pass(1)
      guard firstBytes[Int(text[position])], let (token, end) = try longestToken(text, at: position, &budget) else {
        position += 1
        continue
      }
      let start = position
      position = end
      if token.isSingleWord, touchesWord(text, start..<end) { continue }
      let left = token.stripsLeft ? whitespaceStart(text, in: textStart..<start) : start
      if textStart < left { parts.append(.text(textStart..<left)) }
      parts.append(.token(token.id))
      textStart = token.stripsRight ? whitespaceEnd(text, after: end) : end
      position = max(position, textStart)
    }
    if textStart < text.count { parts.append(.text(textStart..<text.count)) }
    return parts
  }

  private func longestToken(
    _ text: [UInt8], at start: Int, _ budget: inout TextBudget
  ) throws(TokenizerError) -> (Token, end: Int)? {
    var found: (Token, Int)?
    var node = PieceTrie.root
    var end = start
    while end < text.count, let next = trie.step(node, text[end]) {
      node = next
      end += 1
      let index = trie.number(at: node)
      if index >= 0 { found = (tokens[Int(index)], end) }
    }
    try budget.pass(end - start)
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

  /// Where the white space at the end of a stretch begins.
  private func whitespaceStart(_ text: [UInt8], in range: Range<Int>) -> Int {
    var start = range.upperBound
    while start > range.lowerBound {
      var lead = start - 1
      while lead > range.lowerBound, text[lead] & 0xC0 == 0x80 { lead -= 1 }
      guard isWhitespace(text[lead..<start]) else { break }
      start = lead
    }
    return start
  }

  private func whitespaceEnd(_ text: [UInt8], after start: Int) -> Int {
    var end = start
    while end < text.count {
      var next = end + 1
      while next < text.count, text[next] & 0xC0 == 0x80 { next += 1 }
      guard isWhitespace(text[end..<next]) else { break }
      end = next
    }
    return end
  }

  /// Whether these bytes, those of one scalar, are white space.
  private func isWhitespace(_ bytes: ArraySlice<UInt8>) -> Bool {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.first?.properties.isWhitespace == true
  }
}
