import Files

/// Reads `tokenizer.json`, the file of the `tokenizers` library.
extension UnigramTokenizer {
  /// Parses a tokenizer with a Unigram model.
  ///
  /// - Throws: ``TokenizerError`` with the byte or the key at fault; a normalizer, pre-tokenizer, post-processor
  ///   or model that UMT5's tokenizer does not have is refused by name.
  public init(parsingJSON bytes: [UInt8], file: String) throws(TokenizerError) {
    try TokenizerError.checkSize(bytes.count, file: file)
    var cancellation = CancellationPoint()
    // The library that writes these files lets the last of two members count, in every object.
    var reader = JSONReader<TokenizerError>(bytes, path: file, repeated: .lastCounts) {
      (work: Int) throws(TokenizerError) in
      do throws(CancellationError) { try cancellation.pass(work) } catch { throw .cancelled }
    }
    var model = UnigramModelParts(file: file)
    var others: [String: JSONValue] = [:]
    try reader.object { (reader: inout JSONReader<TokenizerError>, key: String) throws(TokenizerError) in
      if key == "model" { try model.read(&reader) } else { others[key] = try reader.value() }
    }
    try reader.end()
    let parts = TokenizerParts(file: file, model: try model.model(file: file), members: others)
    try self.init(try parts.configuration(pieceCount: model.vocabulary.count), file: file)
  }
}

/// The member `model`, its vocabulary read straight into buffers.
private struct UnigramModelParts {
  private let file: String
  var vocabulary: Vocabulary
  var members: [String: JSONValue] = [:]

  init(file: String) {
    self.file = file
    vocabulary = Vocabulary(file: file)
  }

  mutating func read(_ reader: inout JSONReader<TokenizerError>) throws(TokenizerError) {
    self = UnigramModelParts(file: file)
    var (vocabulary, members) = (vocabulary, members)
    try reader.object { (reader: inout JSONReader<TokenizerError>, key: String) throws(TokenizerError) in
      if key == "vocab", reader.peek() == UInt8(ascii: "[") {
        vocabulary = Vocabulary(file: file)
        try reader.array { (reader: inout JSONReader<TokenizerError>) throws(TokenizerError) in
          try vocabulary.append { (bytes) throws(TokenizerError) in try Self.readPiece(&reader, into: &bytes) }
        }
      } else {
        members[key] = try reader.value()
      }
    }
    (self.vocabulary, self.members) = (vocabulary, members)
  }

  private static func readPiece(_ reader: inout JSONReader<TokenizerError>, into bytes: inout [UInt8])
    throws(TokenizerError) -> Double
  {
    try reader.expect("[")
    try reader.appendString(to: &bytes)
    try reader.expect(",")
    let score = try reader.number()
    try reader.expect("]")
    return score
  }

  func model(file: String) throws(TokenizerError) -> UnigramModel {
    if let type = members["type"], type.word != "Unigram" {
      throw .unsupported(file: file, key: "model.type", found: type.kind)
    }
    guard let unknown = members["unk_id"]?.index else {
      throw .invalid(file: file, key: "model.unk_id", reason: "expected the id of the unknown piece")
    }
    return try UnigramModel(
      vocabulary, unknown: unknown, byteFallback: members["byte_fallback"]?.bool ?? false, file: file)
  }
}

/// The other members of the file.
private struct TokenizerParts {
  let file: String
  let model: UnigramModel
  let members: [String: JSONValue]

  func configuration(pieceCount: Int) throws(TokenizerError) -> TokenizerConfiguration {
    let tokens = try addedTokens(pieceCount: pieceCount)
    let steps = try NormalizerParser(file: file).parse(members["normalizer"])
    let cut = try PreTokenizerParser(file: file).parse(members["pre_tokenizer"])
    var configuration = TokenizerConfiguration(
      model: model, pieceCount: pieceCount, addedTokens: tokens, normalizer: steps, preTokenizer: cut)
    let limit = max(pieceCount, (tokens.map { Int($0.id) + 1 }).max() ?? 0)
    try readTemplate(into: &configuration, idLimit: limit)
    return configuration
  }

  private func addedTokens(pieceCount: Int) throws(TokenizerError) -> [AddedTokens.Token] {
    var tokens: [AddedTokens.Token] = []
    let entries = members["added_tokens"]?.array ?? []
    for entry in entries {
      guard let content = entry["content"]?.word, let id = entry["id"]?.index else {
        throw .invalid(
          file: file, key: "added_tokens",
          reason: "token \(tokens.count) has no id, or no content of at most \(JSONValue.longestWord) bytes")
      }
      // The library numbers tokens that the model lacks after its pieces, one by one.
      guard id < pieceCount + entries.count else {
        throw .invalid(file: file, key: "added_tokens", reason: "the id \(id) leaves a gap after the vocabulary")
      }
      tokens.append(
        AddedTokens.Token(
          id: model.id(of: Array(content.utf8)[...]) ?? Int32(id), content: content,
          stripsLeft: entry["lstrip"]?.bool ?? false, stripsRight: entry["rstrip"]?.bool ?? false,
          isSingleWord: entry["single_word"]?.bool ?? false, isNormalized: entry["normalized"]?.bool ?? false))
    }
    return tokens
  }

  /// Without a post-processor a text still ends in `</s>`: the encoder has seen no other.
  private func readTemplate(into configuration: inout TokenizerConfiguration, idLimit: Int) throws(TokenizerError) {
    let processor = members["post_processor"] ?? .null
    if processor.isNull {
      let end = configuration.addedTokens.first { $0.content == configuration.endPiece }?.id
      configuration.suffix = (end ?? model.id(of: Array(configuration.endPiece.utf8)[...])).map { [$0] } ?? []
      return
    }
    guard processor["type"]?.word == "TemplateProcessing", let template = processor["single"]?.array else {
      throw .unsupported(file: file, key: "post_processor", found: processor.kind)
    }
    var isPastText = false
    for item in template {
      if item["Sequence"] != nil {
        isPastText = true
        continue
      }
      let ids = try specialIDs(item, processor, idLimit)
      if isPastText { configuration.suffix += ids } else { configuration.prefix += ids }
      guard configuration.prefix.count + configuration.suffix.count <= Self.mostTemplateIDs else {
        throw .invalid(
          file: file, key: "post_processor", reason: "more than \(Self.mostTemplateIDs) ids around every text")
      }
    }
  }

  /// UMT5's template has one.
  private static let mostTemplateIDs = 64

  private func specialIDs(
    _ item: JSONValue, _ processor: JSONValue, _ idLimit: Int
  ) throws(TokenizerError) -> [Int32] {
    let key = "post_processor.special_tokens"
    guard let name = item["SpecialToken"]?["id"]?.string,
      let listed = processor["special_tokens"]?[name]?["ids"]?.array, listed.count <= Self.mostTemplateIDs
    else { throw .invalid(file: file, key: key, reason: "the template names a token that has no ids, or too many") }
    var ids: [Int32] = []
    for value in listed {
      guard let id = value.index, id < idLimit else {
        throw .invalid(file: file, key: key, reason: "\(name) has an id outside the vocabulary of \(idLimit)")
      }
      ids.append(Int32(id))
    }
    return ids
  }
}
