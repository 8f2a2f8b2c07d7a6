/// Cleans a prompt as the published pipelines do, before it is tokenized.
///
/// The steps are those of `basic_clean` and `whitespace_clean` in the published code: `ftfy.fix_text` with its
/// defaults, HTML character references decoded twice, and every run of white space made one space.
public enum PromptCleaner {
  /// Returns the cleaned text: repaired, unescaped, with single spaces and none at either end.
  ///
  /// - Parameter text: Any text, of any length. Empty text, or text of white space alone, gives empty text.
  /// - Throws: `CancellationError` soon after the task is cancelled.
  public static func clean(_ text: String) throws(CancellationError) -> String {
    let repaired = try TextRepair.repair(Array(text.unicodeScalars))
    let unescaped = HTMLCharacterReference.unescape(HTMLCharacterReference.unescape(repaired))
    return String(collapsingWhitespace(unescaped))
  }

  private static func collapsingWhitespace(_ text: [Unicode.Scalar]) -> String.UnicodeScalarView {
    var result = String.UnicodeScalarView()
    var pendingSpace = false
    for scalar in text {
      if scalar.isPythonSpace {
        pendingSpace = !result.isEmpty
        continue
      }
      if pendingSpace { result.append(" ") }
      pendingSpace = false
      result.append(scalar)
    }
    return result
  }
}

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
