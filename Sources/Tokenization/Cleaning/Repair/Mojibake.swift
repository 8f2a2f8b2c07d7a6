/// Tells text that was read in the wrong encoding from text that was not (`ftfy.badness.is_bad`).
enum Mojibake {
  /// Whether `text` holds characters side by side that hardly any text has but misread UTF-8 often does.
  static func isLikely(_ text: [Unicode.Scalar]) -> Bool {
    if matches(leadingRule, text, at: 0) { return true }
    return text.indices.contains { position in
      !isPlain(text, at: position) && candidates(text[position]).contains { matches($0, text, at: position) }
    }
  }

  /// Whether the next three characters are ASCII, as no rule's are.
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

  private static let rulesByFirst: [[[MojibakeSlot]]] = (UInt32(0)..<0x2600).map { rules(startingWith: $0) }

  private static let sparseRulesByFirst: [UInt32: [[MojibakeSlot]]] = Dictionary(
    uniqueKeysWithValues: [UInt32(0x3000), 0xF8FF, 0xFB01, 0xFB02, 0xFFFD].map { ($0, rules(startingWith: $0)) })

  private static func rules(startingWith value: UInt32) -> [[MojibakeSlot]] {
    guard let scalar = Unicode.Scalar(value) else { return [] }
    return MojibakeRules.all.filter { $0[0].admits(scalar) }
  }

  /// Holds at the start of a text alone.
  private static let leadingRule: [MojibakeSlot] = [.any(of: "ÃÂ"), .any(of: " ")]
}
