/// Tells text that was read in the wrong encoding from text that was not (`ftfy.badness.is_bad`).
enum Mojibake {
  /// Whether `text` holds characters side by side that hardly any text has but misread UTF-8 often does.
  static func isLikely(_ text: [Unicode.Scalar]) -> Bool {
    if matches(leadingRule, text, at: 0) { return true }
    return text.indices.contains { position in
      !isPlain(text, at: position) && candidates(text[position]).contains { matches($0, text, at: position) }
    }
  }

  /// Whether the next three characters are ASCII: every rule has another one among its first three.
  private static func isPlain(_ text: [Unicode.Scalar], at position: Int) -> Bool {
    text[position...].prefix(3).allSatisfy(\.isASCII)
  }

  private static func matches(_ rule: [MojibakeSlot], _ text: [Unicode.Scalar], at position: Int) -> Bool {
    guard position + rule.count <= text.count else { return false }
    return rule.indices.allSatisfy { rule[$0].admits(text[position + $0]) }
  }

  /// The rules whose first slot admits `scalar`.
  private static func candidates(_ scalar: Unicode.Scalar) -> [[MojibakeSlot]] {
    let value = Int(scalar.value)
    return value < rulesByFirst.count ? rulesByFirst[value] : sparseRulesByFirst[scalar.value] ?? []
  }

  /// Of the characters below U+2600.
  private static let rulesByFirst: [[[MojibakeSlot]]] = (UInt32(0)..<0x2600).map { rules(startingWith: $0) }

  /// Of the characters from U+2600 on that begin a rule.
  private static let sparseRulesByFirst: [UInt32: [[MojibakeSlot]]] = Dictionary(
    uniqueKeysWithValues: [UInt32(0x3000), 0xF8FF, 0xFB01, 0xFB02, 0xFFFD].map { ($0, rules(startingWith: $0)) })

  private static func rules(startingWith value: UInt32) -> [[MojibakeSlot]] {
    guard let scalar = Unicode.Scalar(value) else { return [] }
    return MojibakeRules.all.filter { $0[0].admits(scalar) }
  }

  /// Holds at the start of a text alone.
  private static let leadingRule: [MojibakeSlot] = [.any(of: "ÃÂ"), .any(of: " ")]
}

/// One place of a rule of mojibake: the characters that may stand there.
private struct MojibakeSlot: Sendable {
  private enum Test: Sendable {
    case listed, space, word, notASCIILetter, notNewline
  }

  private let classes: MojibakeClass.RawValue
  private let scalars: [UInt32]
  private let test: Test

  private init(_ classes: MojibakeClass, _ scalars: String, _ test: Test = .listed) {
    self.classes = classes.rawValue
    self.scalars = scalars.unicodeScalars.map(\.value)
    self.test = test
  }

  static func any(_ classes: MojibakeClass, or scalars: String = "") -> Self { Self(classes, scalars) }
  static func any(of scalars: String) -> Self { Self([], scalars) }
  static let space = Self([], "", .space)
  static let word = Self([], "", .word)
  static let notASCIILetter = Self([], "", .notASCIILetter)
  static let notNewline = Self([], "", .notNewline)

  func admits(_ scalar: Unicode.Scalar) -> Bool {
    switch test {
    case .listed: MojibakeClass.of(scalar).rawValue & classes != 0 || scalars.contains(scalar.value)
    case .space: scalar.isPythonSpace
    case .word: scalar.isPythonWord
    case .notASCIILetter: !scalar.isASCIILetter
    case .notNewline: scalar != "\n"
    }
  }
}

/// Neighbours that give misread UTF-8 away, each rule a sequence of slots (the facts of ftfy 6.3.1's heuristic).
private enum MojibakeRules {
  typealias Rule = [MojibakeSlot]

  static let all: [Rule] = classRules + latinRules + arabicAndIndicRules + macRomanRules + cyrillicAndGreekRules

  private static let unlikely: MojibakeClass = [
    .lowerAccented, .upperAccented, .box, .opening, .closing, .currency, .numeric, .law,
  ]

  private static let classRules: [Rule] = [
    [.any(.c1)],
    [.any(unlikely.union(.bad)), .any(.bad)],
    [.any(.asciiLetter), .any([.lowerCommon, .upperCommon]), .any(.bad)],
    [.any(.bad), .any(unlikely)],
    [.any([.lowerAccented, .lowerCommon, .box, .closing, .currency, .numeric]), .any(.upperAccented)],
    [.any([.box, .closing, .currency, .numeric]), .any(.lowerAccented)],
    [.any([.lowerAccented, .box, .closing]), .any(.currency)],
    [.space, .any(.upperAccented), .any(.currency)],
    [.any([.upperAccented, .box]), .any([.numeric, .law])],
    [.any([.lowerAccented, .upperAccented, .box, .currency, .closing]), .any(.opening), .any(.numeric)],
    [.any([.lowerAccented, .upperAccented, .currency, .numeric, .box, .law]), .any(.closing), .any(.opening)],
    [.any([.currency, .numeric, .box]), .any(.opening)],
    [.any(.asciiLower), .any(.upperAccented), .any([.opening, .currency])],
    [.any(.box), .any(.kaomoji)],
    [.any([.lowerAccented, .upperAccented, .currency, .numeric, .opening, .closing, .law]), .any(.box)],
    [.any(.box), .any(.closing)],
    [.any(.accented), .any([.opening, .closing]), .word],
  ]

  private static let latinRules: [Rule] = [
    [.any(of: "\u{152}\u{153}"), .notASCIILetter],
    [.any(.upperAccented), .any(of: "°")],
    [.any(of: "ÂÃÎÐ"), .any([.opening, .closing], or: "€œŠš¢£Ÿž\u{A0}\u{AD}®©°·»–—´")],
    [.any(of: "×"), .any(of: "²³")],
    [.any(of: "Ã"), .any(of: "\u{A0}¡")],
    [.any(.asciiLower), .any(of: "ÃÂ"), .any(of: " ")],
    [.any(.asciiLower), .space, .any(of: "ÃÂ"), .any(of: " ")],
    [.any([.asciiLower, .closing], or: ".,?!"), .any(of: "Â"), .any([.opening, .closing], or: " ")],
    [.any(of: "\u{101}"), .any(of: "€")],
  ]

  private static let arabicAndIndicRules: [Rule] = [
    [.any(of: "ØÙ"), arabicTail, .any(of: "ØÙ"), arabicTail],
    [.any(of: "à"), .any(of: "²µ¹¼½¾")],
  ]

  private static let arabicTail = MojibakeSlot.any([.common, .currency, .bad, .numeric, .opening], or: "ŸŠ®°µ»")

  private static let macRomanRules: [Rule] = [
    [.any(of: "\u{221A}"), .any(of: "±\u{2202}†\u{2260}®™´\u{2264}\u{2265}¥µø")],
    [.any(of: "\u{2248}"), .any(of: "°¢")],
    [.any(of: "\u{201A}"), .any(of: "Ä"), .any(of: "ìîïòôúùû†°¢\u{3C0}")],
    [.any(of: "\u{201A}"), .any(of: "âó"), .any(of: "àä°ê")],
  ]

  private static let cyrillicAndGreekRules: [Rule] = [
    [.any(of: "\u{432}"), .any(of: "\u{402}")],
    [.any(of: cyrillicLeads), .any(symbols, or: "°µ"), .any(of: cyrillicLeads)],
    [
      .any(of: "\u{413}"), .any(of: "\u{45E}"), .any(of: "\u{412}"), .any(of: "\u{402}"), .any(of: "\u{412}"),
      .notNewline, .any(.asciiLetter, or: " "),
    ],
    [.any(of: "\u{3B2}"), .any(of: "€"), .any(of: "™\u{A0}\u{386}\u{AD}®°")],
    [.any(of: greekLeads), .any(symbols, or: "°"), .any(of: greekLeads)],
  ]

  private static let symbols: MojibakeClass = [.c1, .bad, .opening, .closing, .currency]
  private static let cyrillicLeads = "\u{412}\u{413}\u{420}\u{421}"
  private static let greekLeads = "\u{392}\u{393}\u{39E}\u{39F}"
}
