/// Reads `spiece.model`, a protocol buffer of type `ModelProto` (sentencepiece_model.proto).
extension UnigramTokenizer {
  /// Parses a SentencePiece Unigram model and completes it as `T5TokenizerFast` does.
  ///
  /// Control and user-defined pieces and the unknown piece are found in text as they are written; the rest of
  /// the text is mapped, loses its trailing white space, and unknown characters have one id even where the model
  /// has pieces for bytes.
  /// - Throws: ``TokenizerError`` with the byte or the field at fault.
  ///
  /// - Parameter rules: whose ids are wanted: those of `tokenizers`, as above, or those of sentencepiece itself.
  public init(
    parsingSentencePiece bytes: [UInt8], rules: SentencePieceRules = .tokenizers, file: String
  ) throws(TokenizerError) {
    let proto = try ModelProto(parsing: bytes, file: file)
    var parts = SentencePieceParts(file: file)
    for piece in proto.pieces { try parts.read(piece, of: proto) }
    parts.modelType = proto.integers[3] ?? 1
    parts.hasByteFallback = proto.integers[35].map { $0 != 0 } ?? false
    parts.unknown = proto.integers[40].map { Int(truncatingIfNeeded: $0) } ?? 0
    if let end = proto.endPiece { parts.endPiece = String(decoding: end, as: UTF8.self) }
    parts.characterMap = proto.characterMap
    (parts.addsPrefix, parts.removesSpaces) = (proto.addsPrefix, proto.removesSpaces)
    try self.init(try parts.configuration(rules, file: file), file: file)
  }

  /// Makes a tokenizer of a SentencePiece Unigram model's parts, with the ids that sentencepiece gives.
  public init(_ model: SentencePieceModel, file: String) throws(TokenizerError) {
    var parts = SentencePieceParts(file: file)
    guard model.pieces.count == model.scores.count, model.pieces.count == model.kinds.count else {
      throw .invalid(
        file: file, key: "tokens",
        reason: "\(model.pieces.count) pieces, \(model.scores.count) scores, \(model.kinds.count) types")
    }
    for (i, piece) in model.pieces.enumerated() {
      guard model.scores[i].isFinite else {
        throw .invalid(file: file, key: "scores", reason: "the score of piece \(i) is not finite")
      }
      if model.kinds[i] == SentencePieceParts.unknownKind { parts.unknown = i }
      try parts.add(Array(piece.utf8)[...], score: model.scores[i], kind: UInt64(clamping: model.kinds[i]))
    }
    parts.hasByteFallback = parts.kinds.values.contains(SentencePieceParts.byteKind)
    (parts.addsPrefix, parts.removesSpaces) = (model.addsPrefix, model.removesSpaces)
    parts.characterMap = model.characterMap
    try self.init(try parts.configuration(.sentencePiece, file: file), file: file)
  }
}

/// Whose ids a SentencePiece model is read for; the two libraries differ in what no piece covers, and in special pieces.
public enum SentencePieceRules: Sendable, Hashable {
  /// The `tokenizers` library's, as transformers' fast tokenizers make them.
  case tokenizers
  /// sentencepiece's own: bytes for what no piece covers where the model says so, and no special pieces in a text.
  case sentencePiece
}

/// The parts of a `ModelProto` that a tokenizer needs.
private struct SentencePieceParts {
  var vocabulary: Vocabulary
  var addedTokens: [AddedTokens.Token] = []
  var modelType: UInt64 = 1
  var unknown = 0
  var endPiece = "</s>"
  var characterMap: [UInt8] = []
  /// Of pieces that are not normal, by id.
  var kinds: [Int: UInt64] = [:]
  var hasByteFallback = false
  var addsPrefix = true
  var removesSpaces = true

  static let (unknownKind, byteKind) = (2, UInt64(6))

  init(file: String) {
    vocabulary = Vocabulary(file: file)
  }

  mutating func read(_ piece: ModelProto.Piece, of proto: ModelProto) throws(TokenizerError) {
    let text = proto.bytes[piece.text]
    guard piece.score.isFinite else { throw proto.failure("the score of piece \(vocabulary.count) is not finite") }
    if (2...4).contains(piece.kind), String(validating: text, as: UTF8.self) == nil {
      throw proto.failure("piece \(vocabulary.count) is not UTF-8")
    }
    try add(text, score: piece.score, kind: piece.kind)
  }

  mutating func add(_ piece: ArraySlice<UInt8>, score: Float, kind: UInt64) throws(TokenizerError) {
    // 2 unknown, 3 control, 4 user-defined
    if (2...4).contains(kind) {
      addedTokens.append(
        AddedTokens.Token(
          id: Int32(truncatingIfNeeded: vocabulary.count), content: String(decoding: piece, as: UTF8.self)))
    }
    if kind != 1 { kinds[vocabulary.count] = kind }
    try vocabulary.append { (bytes) throws(TokenizerError) in
      bytes += piece
      return Double(score)
    }
  }

  func configuration(_ rules: SentencePieceRules, file: String) throws(TokenizerError) -> TokenizerConfiguration {
    guard modelType == 1 else {
      throw .unsupported(file: file, key: "trainer_spec.model_type", found: "\(modelType), not 1 (Unigram)")
    }
    guard endPiece.utf8.count <= PieceTrie.maximumPiece else {
      throw .invalid(file: file, key: "trainer_spec.eos_piece", reason: "\(endPiece.utf8.count) bytes")
    }
    guard unknown >= 0 else { throw .invalid(file: file, key: "trainer_spec.unk_id", reason: "\(unknown) is negative") }
    let isOwn = rules == .sentencePiece
    let mark = Array("▁".utf8)
    var steps: [TextNormalizer] = []
    if !characterMap.isEmpty { steps.append(.characterMap(try CharacterMap(parsing: characterMap, file: file))) }
    if !isOwn || removesSpaces {
      steps += [.strip(left: isOwn, right: true), .replace(.run(of: 0x20, atLeast: 2), with: isOwn ? [0x20] : mark)]
    }
    // sentencepiece cuts no text into pieces that are not normal; those of its users are looked for first.
    let unmatched = isOwn ? Set(kinds.filter { $0.value != 4 }.keys) : []
    var configuration = TokenizerConfiguration(
      model: try UnigramModel(
        vocabulary, unknown: unknown, byteFallback: isOwn && hasByteFallback, unmatched: unmatched,
        hasSingleSums: isOwn, file: file),
      pieceCount: vocabulary.count, addedTokens: isOwn ? addedTokens.filter { kinds[Int($0.id)] == 4 } : addedTokens,
      normalizer: steps,
      preTokenizer: [
        .metaspace(replacement: mark, prepend: isOwn && !addsPrefix ? .never : .always, splits: !isOwn)
      ], endPiece: endPiece)
    let end = addedTokens.first { $0.content == endPiece }?.id
    if isOwn { configuration.endID = end }
    if let end = isOwn ? end : configuration.model.id(of: Array(endPiece.utf8)[...]) { configuration.suffix = [end] }
    return configuration
  }
}
