/// Reads `spiece.model`, a protocol buffer of type `ModelProto` (sentencepiece_model.proto).
extension UnigramTokenizer {
  /// Parses a SentencePiece Unigram model and completes it as `T5TokenizerFast` does.
  ///
  /// Control and user-defined pieces and the unknown piece are found in text as they are written; the rest of
  /// the text is mapped, loses its trailing white space, and unknown characters have one id even where the model
  /// has pieces for bytes.
  /// - Throws: ``TokenizerError`` with the byte or the field at fault.
  public init(parsingSentencePiece bytes: [UInt8], file: String) throws(TokenizerError) {
    try TokenizerError.checkSize(bytes.count, file: file)
    var parts = SentencePieceParts(file: file)
    var reader = ProtobufReader(bytes, file: file)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): try parts.readPiece(reader.nested(range))
      case (2, .bytes(let range)): try parts.readTrainer(reader.nested(range))
      case (3, .bytes(let range)): try parts.readNormalizer(reader.nested(range))
      default: break
      }
    }
    try self.init(try parts.configuration(file: file), file: file)
  }
}

/// The parts of a `ModelProto` that a tokenizer needs.
private struct SentencePieceParts {
  var vocabulary: Vocabulary
  var addedTokens: [AddedTokens.Token] = []
  var modelType: UInt64 = 1
  var unknown = 0
  var endPiece = "</s>"
  var characterMap: [UInt8] = []

  init(file: String) {
    vocabulary = Vocabulary(file: file)
  }

  mutating func readPiece(_ fields: ProtobufReader) throws(TokenizerError) {
    var reader = fields
    var text = 0..<0
    var score: Float = 0
    var kind: UInt64 = 1
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): text = range
      case (2, .word(let bits)): score = Float(bitPattern: bits)
      case (3, .integer(let value)): kind = value
      default: break
      }
    }
    guard score.isFinite else { throw reader.failure("the score of piece \(vocabulary.count) is not finite") }
    let piece = reader.bytes[text]
    // 2 unknown, 3 control, 4 user-defined
    if (2...4).contains(kind) {
      guard let content = String(validating: piece, as: UTF8.self) else {
        throw reader.failure("piece \(vocabulary.count) is not UTF-8")
      }
      addedTokens.append(AddedTokens.Token(id: Int32(truncatingIfNeeded: vocabulary.count), content: content))
    }
    try vocabulary.append { (bytes) throws(TokenizerError) in
      bytes += piece
      return Double(score)
    }
  }

  mutating func readTrainer(_ fields: ProtobufReader) throws(TokenizerError) {
    var reader = fields
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (3, .integer(let value)): modelType = value
      case (40, .integer(let value)): unknown = Int(truncatingIfNeeded: value)
      case (47, .bytes(let range)): endPiece = String(decoding: reader.bytes[range], as: UTF8.self)
      default: break
      }
    }
  }

  mutating func readNormalizer(_ fields: ProtobufReader) throws(TokenizerError) {
    var reader = fields
    while let field = try reader.next() {
      if case (2, .bytes(let range)) = (field.number, field.value) { characterMap = Array(reader.bytes[range]) }
    }
  }

  func configuration(file: String) throws(TokenizerError) -> TokenizerConfiguration {
    guard modelType == 1 else {
      throw .unsupported(file: file, key: "trainer_spec.model_type", found: "\(modelType), not 1 (Unigram)")
    }
    guard endPiece.utf8.count <= PieceTrie.maximumPiece else {
      throw .invalid(file: file, key: "trainer_spec.eos_piece", reason: "\(endPiece.utf8.count) bytes")
    }
    guard unknown >= 0 else { throw .invalid(file: file, key: "trainer_spec.unk_id", reason: "\(unknown) is negative") }
    let mark = Array("▁".utf8)
    var steps: [TextNormalizer] = []
    if !characterMap.isEmpty { steps.append(.characterMap(try CharacterMap(parsing: characterMap, file: file))) }
    steps += [.strip(left: false, right: true), .replace(.run(of: 0x20, atLeast: 2), with: mark)]
    var configuration = TokenizerConfiguration(
      model: try UnigramModel(vocabulary, unknown: unknown, byteFallback: false, file: file),
      pieceCount: vocabulary.count, addedTokens: addedTokens, normalizer: steps,
      preTokenizer: [.metaspace(replacement: mark, prepend: .always, splits: true)], endPiece: endPiece)
    if let end = configuration.model.id(of: Array(endPiece.utf8)[...]) { configuration.suffix = [end] }
    return configuration
  }
}
