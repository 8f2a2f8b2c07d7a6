import Foundation

/// What a tokenizer does to text before it cuts it.
indirect enum TextNormalizer: Sendable {
  case characterMap(CharacterMap)
  case strip(left: Bool, right: Bool)
  case replace(ReplacementPattern, with: [UInt8])
  case prepend(String)
  case composed
  case decomposed
  case compatibilityComposed
  case compatibilityDecomposed
  case lowercase
  case sequence([TextNormalizer])

  /// The most bytes that may be written for one character: a small file cannot ask for a huge text.
  static let maximumReplacement = 64

  func apply(_ text: String) -> String {
    switch self {
    case .characterMap(let map): map.apply(text)
    case .strip(let left, let right): Self.stripped(text, left: left, right: right)
    case .replace(let pattern, let replacement):
      String(decoding: pattern.replace(Array(text.utf8), with: replacement), as: UTF8.self)
    case .prepend(let prefix): text.isEmpty ? text : prefix + text
    case .composed: text.precomposedStringWithCanonicalMapping
    case .decomposed: text.decomposedStringWithCanonicalMapping
    case .compatibilityComposed: text.precomposedStringWithCompatibilityMapping
    case .compatibilityDecomposed: text.decomposedStringWithCompatibilityMapping
    case .lowercase: text.unicodeScalars.map(\.properties.lowercaseMapping).joined()
    case .sequence(let steps): steps.reduce(text) { $1.apply($0) }
    }
  }

  private static func stripped(_ text: String, left: Bool, right: Bool) -> String {
    var scalars = text.unicodeScalars[...]
    if left { scalars = scalars.drop(while: \.properties.isWhitespace) }
    if right {
      while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    }
    return String(scalars)
  }
}

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

  func replace(_ text: [UInt8], with replacement: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var position = 0
    while position < text.count {
      if let length = matchLength(text, at: position) {
        result += replacement
        position += length
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return result
  }

  private func matchLength(_ text: [UInt8], at start: Int) -> Int? {
    switch self {
    case .literal(let literal):
      return !literal.isEmpty && text[start...].starts(with: literal) ? literal.count : nil
    case .run(let byte, let count):
      guard text[start] == byte else { return nil }
      // A run that is too short is passed one byte at a time; it is shorter than `count`.
      let length = text[start...].prefix { $0 == byte }.count
      return length >= count ? length : nil
    }
  }
}
