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
