/// The repairs of `ftfy.fix_text` (ftfy 6.3.1) with its default configuration.
enum TextRepair {
  /// The longest piece that is repaired as one, in scalars.
  private static let maximumSegment = 1_000_000

  /// Repairs line by line; from the first line with a `<` on, text counts as HTML and keeps its references.
  static func repair(_ text: [Unicode.Scalar]) throws(CancellationError) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var unescapes = true
    var position = 0
    while position < text.count {
      let longest = text[position...].prefix(maximumSegment)
      let end = longest.firstIndex(of: "\n").map { $0 + 1 } ?? longest.endIndex
      let segment = Array(text[position..<end])
      if unescapes && segment.contains("<") { unescapes = false }
      result += try repairSegment(segment, unescapes: unescapes)
      position = end
    }
    return result
  }

  private static func repairSegment(
    _ segment: [Unicode.Scalar], unescapes: Bool
  ) throws(CancellationError) -> [Unicode.Scalar] {
    var text = segment
    var budget = RepairBudget(for: segment.count)
    while try budget.takes(text.count) {
      let previous = text
      if unescapes { text = HTMLCharacterReference.unescapeTerminated(text) }
      text = try EncodingRepair.repair(text, &budget)
      text = CharacterRepair.repair(text)
      text = composed(text)
      if text == previous { break }
    }
    return text
  }

  /// NFC. Below U+0300 every scalar is its own composed form, and nothing combines.
  private static func composed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    if text.allSatisfy({ $0.value < 0x300 }) { return text }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: text)
    return Array(String(view).normalized(.composed).unicodeScalars)
  }
}

/// How much of a text may be gone through until its repair is at an end.
///
/// Repairs go on until nothing changes. Text that people have takes a few passes; text can be made in which each pass
/// repairs one character and so lets the next pass repair one more.
struct RepairBudget {
  private static let passes = 128
  private static let base = 1 << 16

  private var remaining: Int
  private var cancellation = CancellationPoint()

  /// - Parameter count: characters of the text.
  init(for count: Int) {
    remaining = Self.passes * count + Self.base
  }

  /// Whether one more pass over so many characters may be made.
  mutating func takes(_ count: Int) throws(CancellationError) -> Bool {
    remaining -= count
    try cancellation.pass(count + 1)
    return remaining >= 0
  }
}
