import Layers
import Tokenization
import WanModels

/// A plan's prompts as the text encoder takes them: cleaned, cut into tokens, and no longer than the model reads.
public struct PromptTokens: Sendable, Hashable {
  /// Ids of the prompt, the one that ends a text among them.
  public let prompt: [Int32]
  /// Ids of the negative prompt; `nil` where guidance does not ask for it.
  public let negative: [Int32]?
  /// What of the given texts the model does not read, in a line each.
  public let notices: [String]

  /// The prompts that a step runs with: the prompt, and the negative one where it has a say.
  public var all: [[Int32]] { [prompt] + (negative.map { [$0] } ?? []) }

  /// - Parameter negative: `nil` where guidance does not ask for it.
  /// - Throws: `TokenizerError`; `ModelError` where the encoder has no row for a token; `CancellationError`.
  init(prompt: String, negative: String?, model: ModelFolder) throws {
    try Task.checkCancellation()
    do {
      let tokenizer = try model.openTokenizer()
      let limit = PromptLimit(tokenizer: tokenizer, limit: model.textLength)
      var notices: [String] = []
      func tokens(of prompt: String, called name: String) throws -> [Int32] {
        let text = try PromptCleaner.clean(prompt)
        // The published negative prompt is nobody's own: how it is cut is no news.
        if prompt != PublishedPrompts.negative, let line = try limit.notice(text, called: name) { notices.append(line) }
        return try tokenizer.encode(text, maximumLength: model.textLength)
      }
      self.prompt = try tokens(of: prompt, called: "prompt")
      self.negative = try negative.map { try tokens(of: $0, called: "negative prompt") }
      self.notices = notices
    } catch TokenizerError.cancelled {
      throw CancellationError()
    }
    for id in all.joined() { try model.textEncoder.check(token: Int(id), tokenizerFolder: model.tokenizerFolder) }
  }
}

extension NetworkPart<UMT5Encoder> {
  /// Tokens must be rows of the embedding: a tokenizer of another model may know more.
  func check(token id: Int, tokenizerFolder: String) throws(ModelError) {
    guard 0..<configuration.vocabulary ~= id else {
      throw .inconsistent(
        folder: tokenizerFolder,
        reason: "token \(id) is past the text encoder's \(configuration.vocabulary) rows; "
          + "do tokenizer and encoder belong together?")
    }
  }
}

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
