import Tokenization

/// What of a text a model does not read, because it takes so many tokens and no more.
struct PromptLimit {
  let tokenizer: UnigramTokenizer
  /// Tokens with the one that ends a text.
  let limit: Int

  private static let shown = 60

  /// A line that tells how much is lost and where it begins; `nil` when the model reads it all.
  ///
  /// - Parameter name: "prompt" or "negative prompt".
  /// - Throws: as the tokenizer.
  func notice(_ text: String, called name: String) throws -> String? {
    let count = try count(text)
    guard count > limit else { return nil }
    let lost = try text.dropFirst(readable(text))
    let start = lost.prefix(Self.shown)
    return "the \(name) has \(count) tokens and the model reads \(limit): its last \(lost.count) characters are lost, "
      + "from '\(start)\(start.count < lost.count ? "..." : "")' on"
  }

  /// How many of the text's first characters the model reads.
  private func readable(_ text: String) throws -> Int {
    var (low, high) = (0, text.count)
    while low < high {
      let middle = (low + high + 1) / 2
      if try count(String(text.prefix(middle))) <= limit { low = middle } else { high = middle - 1 }
    }
    return low
  }

  private func count(_ text: String) throws -> Int { try tokenizer.encode(text, maximumLength: .max).count }
}
