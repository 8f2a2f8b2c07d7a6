/// The fields of a `spiece.model` that matter here: a `ModelProto` of `sentencepiece_model.proto`.
struct ModelProto {
  /// A piece of the vocabulary.
  struct Piece {
    /// Its place in ``ModelProto/bytes``.
    var text = 0..<0
    var score: Float = 0
    /// 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    var kind: UInt64 = 1
  }

  /// The whole file.
  let bytes: [UInt8]
  /// In order of their ids.
  private(set) var pieces: [Piece] = []
  /// Whole numbers of the trainer's settings, by the fields' numbers.
  private(set) var integers: [Int: UInt64] = [:]
  /// The text of the piece that ends a text.
  private(set) var endPiece: ArraySlice<UInt8>?
  /// Of the normalizer.
  private(set) var characterMap: [UInt8] = []
  private(set) var addsPrefix = true
  private(set) var removesSpaces = true
  private let reader: ProtobufReader

  /// - Throws: ``TokenizerError`` with the byte at fault.
  init(parsing bytes: [UInt8], file: String) throws(TokenizerError) {
    try TokenizerError.checkSize(bytes.count, file: file)
    self.bytes = bytes
    reader = ProtobufReader(bytes, file: file)
    var fields = reader
    while let field = try fields.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): try readPiece(fields.nested(range))
      case (2, .bytes(let range)): try readTrainer(fields.nested(range))
      case (3, .bytes(let range)): try readNormalizer(fields.nested(range))
      default: break
      }
    }
  }

  func failure(_ reason: String) -> TokenizerError { reader.failure(reason) }

  private mutating func readPiece(_ reader: ProtobufReader) throws(TokenizerError) {
    var fields = reader
    var piece = Piece()
    while let field = try fields.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): piece.text = range
      case (2, .word(let bits)): piece.score = Float(bitPattern: bits)
      case (3, .integer(let value)): piece.kind = value
      default: break
      }
    }
    pieces.append(piece)
  }

  private mutating func readTrainer(_ reader: ProtobufReader) throws(TokenizerError) {
    var fields = reader
    while let field = try fields.next() {
      switch field.value {
      case .integer(let value): integers[field.number] = value
      case .bytes(let range) where field.number == 47: endPiece = bytes[range]
      default: break
      }
    }
  }

  private mutating func readNormalizer(_ reader: ProtobufReader) throws(TokenizerError) {
    var fields = reader
    while let field = try fields.next() {
      switch (field.number, field.value) {
      case (2, .bytes(let range)): characterMap = Array(bytes[range])
      case (3, .integer(let value)): addsPrefix = value != 0
      case (4, .integer(let value)): removesSpaces = value != 0
      default: break
      }
    }
  }
}
