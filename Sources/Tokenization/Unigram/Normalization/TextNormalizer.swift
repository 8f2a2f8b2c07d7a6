/// A step of what a tokenizer does to text before it cuts it.
enum TextNormalizer: Sendable {
  case characterMap(CharacterMap)
  case strip(left: Bool, right: Bool)
  case replace(ReplacementPattern, with: [UInt8])
  case prepend(String)
  case unicode(NormalizationForm)
  case lowercase

  /// The most bytes that may be written for one character, and the most that are looked for at once.
  static let maximumReplacement = 64
  /// More steps than any tokenizer has: each costs time for every text.
  static let maximumSteps = 64

  fileprivate func apply(_ text: String, _ budget: inout TextBudget) throws(TokenizerError) -> String {
    switch self {
    case .characterMap(let map): return try map.apply(text, &budget)
    case .replace(let pattern, let replacement):
      return String(decoding: try pattern.replace(Array(text.utf8), with: replacement, &budget), as: UTF8.self)
    case .strip(let left, let right): return try budget.paid(Self.stripped(text, left: left, right: right))
    case .prepend(let prefix): return text.isEmpty ? text : try budget.paid(prefix + text)
    case .unicode(let form): return try budget.paid(text.normalized(form))
    case .lowercase: return try budget.paid(text.unicodeScalars.map(\.properties.lowercaseMapping).joined())
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

extension [TextNormalizer] {
  /// Applies the steps one after the other.
  func apply(_ text: String, _ budget: inout TextBudget) throws(TokenizerError) -> String {
    var text = text
    for (index, step) in enumerated() {
      budget.begin("normalizer", step: index)
      try budget.pass(TextBudget.stepWork)
      text = try step.apply(text, &budget)
      try budget.check(text.utf8.count)
    }
    return text
  }
}

extension TextBudget {
  /// What beginning a step counts as, in bytes looked at.
  static let stepWork = 64

  /// The text, paid for.
  fileprivate mutating func paid(_ text: String) throws(TokenizerError) -> String {
    try pay(text.utf8.count)
    return text
  }
}
