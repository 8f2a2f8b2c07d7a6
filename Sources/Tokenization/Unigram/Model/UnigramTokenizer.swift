import Foundation

/// The tokenizer of UMT5: text to the ids of a Unigram model's pieces.
///
/// Equal to the `tokenizers` library on the same `tokenizer.json`. From a SentencePiece model it makes what
/// `T5TokenizerFast` makes of it.
public struct UnigramTokenizer: Sendable {
  let configuration: TokenizerConfiguration
  private let file: String
  private let rawTokens: AddedTokens
  private let normalizedTokens: AddedTokens

  /// The number of ids: one more than the largest that `encode` returns.
  public let vocabularySize: Int

  /// The id of `</s>`, which ends every text.
  public let endOfText: Int32

  init(_ configuration: TokenizerConfiguration, file: String) throws(TokenizerError) {
    guard configuration.addedTokens.count <= AddedTokens.maximumCount else {
      throw .invalid(file: file, key: "added_tokens", reason: "more than \(AddedTokens.maximumCount) tokens")
    }
    self.configuration = configuration
    self.file = file
    let ids = configuration.addedTokens.map { Int($0.id) + 1 }
    vocabularySize = max(configuration.pieceCount, ids.max() ?? 0)
    let named = configuration.addedTokens.first { $0.content == configuration.endPiece }?.id
    guard let end = configuration.endID ?? named ?? configuration.model.id(of: Array(configuration.endPiece.utf8)[...])
    else {
      throw .invalid(file: file, key: "vocabulary", reason: "no piece \(configuration.endPiece) to end a text with")
    }
    endOfText = end
    rawTokens = AddedTokens(configuration.addedTokens.filter { !$0.isNormalized })
    normalizedTokens = AddedTokens(try Self.normalized(configuration, file: file))
  }

  /// The tokens that are looked for in normalised text, normalised likewise.
  private static func normalized(
    _ configuration: TokenizerConfiguration, file: String
  ) throws(TokenizerError) -> [AddedTokens.Token] {
    var tokens = configuration.addedTokens.filter(\.isNormalized)
    let steps = configuration.normalizer.count
    guard tokens.count * steps <= AddedTokens.maximumSteps else {
      throw .invalid(
        file: file, key: "added_tokens",
        reason: "\(tokens.count) tokens to be normalised in \(steps) steps each; at most \(AddedTokens.maximumSteps) "
          + "steps are taken for all of them")
    }
    var budget = try TextBudget(for: tokens.reduce(0) { $0 + $1.content.utf8.count }, file: file)
    for index in tokens.indices {
      tokens[index].content = try configuration.normalizer.apply(tokens[index].content, &budget)
      guard tokens[index].content.utf8.count <= PieceTrie.maximumPiece else {
        throw .invalid(
          file: file, key: "added_tokens",
          reason: "token \(tokens[index].id) is normalised to more than \(PieceTrie.maximumPiece) bytes")
      }
    }
    return tokens
  }

  /// Opens `tokenizer.json` in `folder`, or `spiece.model` where there is none.
  public static func open(folder: String) throws(TokenizerError) -> UnigramTokenizer {
    let json = folder + "/tokenizer.json"
    if FileManager.default.fileExists(atPath: json) {
      return try UnigramTokenizer(parsingJSON: TokenizerFile.contents(json), file: json)
    }
    let sentencePiece = folder + "/spiece.model"
    if FileManager.default.fileExists(atPath: sentencePiece) {
      return try UnigramTokenizer(parsingSentencePiece: TokenizerFile.contents(sentencePiece), file: sentencePiece)
    }
    throw .noFile(folder: folder)
  }

  /// The ids of `text` with what the tokenizer puts around a text: UMT5's puts `</s>` at the end.
  ///
  /// - Parameters:
  ///   - text: Cleaned text, see ``PromptCleaner``.
  ///   - maximumLength: The most ids to return. Longer text loses its end, but not its `</s>`.
  /// - Returns: 1 to `maximumLength` ids below ``vocabularySize``.
  /// - Throws: ``TokenizerError/cancelled`` soon after the task is cancelled; another case when the file's own steps
  ///   make the text grow without measure, or it has more than 16 MiB.
  public func encode(_ text: String, maximumLength: Int) throws(TokenizerError) -> [Int32] {
    guard maximumLength > 0 else { return [] }
    let prefix = configuration.prefix.prefix(maximumLength - 1)
    let suffix = configuration.suffix.suffix(maximumLength - prefix.count)
    let content = try contentIDs(text).prefix(maximumLength - prefix.count - suffix.count)
    return Array(prefix + content + suffix)
  }

  private func contentIDs(_ text: String) throws(TokenizerError) -> [Int32] {
    let bytes = Array(text.utf8)
    var budget = try TextBudget(for: bytes.count, file: file)
    var ids: [Int32] = []
    for part in try rawTokens.split(bytes, &budget) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        let normalized = try configuration.normalizer.apply(
          String(decoding: bytes[range], as: UTF8.self), &budget)
        try appendIDs(Array(normalized.utf8), beginsText: range.lowerBound == 0, to: &ids, &budget)
      }
    }
    return ids
  }

  private func appendIDs(
    _ normalized: [UInt8], beginsText: Bool, to ids: inout [Int32], _ budget: inout TextBudget
  ) throws(TokenizerError) {
    for part in try normalizedTokens.split(normalized, &budget) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        let whole = PreTokenizer.Part(
          bytes: Array(normalized[range]), beginsText: beginsText && range.lowerBound == 0)
        for piece in try configuration.preTokenizer.split(whole, &budget) {
          try configuration.model.encode(piece.bytes, into: &ids, &budget)
        }
      }
    }
  }
}

/// What a tokenizer file says, whichever format it came in.
struct TokenizerConfiguration: Sendable {
  var model: UnigramModel
  var pieceCount: Int
  var addedTokens: [AddedTokens.Token]
  var normalizer: [TextNormalizer]
  var preTokenizer: [PreTokenizer]
  /// Ids before and after every text.
  var prefix: [Int32] = []
  var suffix: [Int32] = []
  var endPiece = "</s>"
  /// The id of the end piece where no text is cut into it.
  var endID: Int32?
}
