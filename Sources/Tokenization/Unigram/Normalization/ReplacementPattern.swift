/// What a `Replace` normalizer looks for.
enum ReplacementPattern: Sendable {
  case literal([UInt8])
  /// `count` or more of one ASCII character.
  case run(of: UInt8, atLeast: Int)

  /// Parses the forms of regular expression that Unigram tokenizers use: a character, then `+` or `{n,}`.
  init?(regularExpression: String) {
    var rest = Array(regularExpression.utf8)[...]
    if rest.first == UInt8(ascii: "\\"), rest.count > 1, !Self.isWordByte(rest[1]) { rest.removeFirst() }
    guard let byte = rest.popFirst(), byte < 0x80 else { return nil }
    let isEscaped = rest.startIndex == 2
    guard isEscaped || !"\\^$.|?*+()[]{}".utf8.contains(byte) else { return nil }
    let quantifier = String(decoding: rest, as: UTF8.self)
    if quantifier == "+" {
      self = .run(of: byte, atLeast: 1)
    } else if quantifier.isEmpty {
      self = .literal([byte])
    } else if quantifier.hasPrefix("{"), quantifier.hasSuffix(",}"),
      let count = Int(quantifier.dropFirst().dropLast(2)),
      count > 0
    {
      self = .run(of: byte, atLeast: count)
    } else {
      return nil
    }
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    let scalar = Unicode.Scalar(byte)
    return scalar.isASCIILetter || scalar.isASCIIDigit || byte >= 0x80
  }

  /// Writes `text` with every match replaced, from the left; each byte is looked at a bounded number of times.
  func replace(
    _ text: [UInt8], with replacement: [UInt8], _ budget: inout TextBudget
  ) throws(TokenizerError) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var position = 0
    while position < text.count {
      let (length, isMatch) = stretch(of: text, at: position)
      let written = isMatch ? replacement[...] : text[position..<position + length]
      try budget.pay(written.count)
      result += written
      position += length
    }
    return result
  }

  /// Bytes at `start` that match, or that begin no match.
  private func stretch(of text: [UInt8], at start: Int) -> (length: Int, isMatch: Bool) {
    switch self {
    case .literal(let literal):
      return !literal.isEmpty && text[start...].starts(with: literal) ? (literal.count, true) : (1, false)
    case .run(let byte, let count):
      guard text[start] == byte else { return (1, false) }
      let length = text[start...].prefix { $0 == byte }.count
      return (length, length >= count)
    }
  }
}
