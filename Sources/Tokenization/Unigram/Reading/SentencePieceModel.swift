/// A SentencePiece Unigram model in parts, as a GGUF file has it and `spiece.model` holds it.
public struct SentencePieceModel: Sendable {
  /// In order of their ids.
  public var pieces: [String]
  /// Logarithms of probabilities.
  public var scores: [Float]
  /// 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  public var kinds: [Int]
  /// The ids of the unknown piece, of the end of a text, and of padding; negative for none.
  public var unknown = 2, end = 1, padding = 0
  /// Whether what no piece covers is spelt in bytes.
  public var hasByteFallback = false
  /// Whether a space is put in front of a text, and spaces at its ends and repeated ones are taken out.
  public var addsPrefix, removesSpaces: Bool
  /// The compiled table of what characters are replaced with; empty for none.
  public var characterMap: [UInt8]

  /// The kind of pieces that stand for a byte.
  public static let byteKind = 6

  /// A model of as many scores and kinds as pieces.
  public init(
    pieces: [String], scores: [Float], kinds: [Int], addsPrefix: Bool = true, removesSpaces: Bool = true,
    characterMap: [UInt8] = []
  ) {
    (self.pieces, self.scores, self.kinds) = (pieces, scores, kinds)
    (self.addsPrefix, self.removesSpaces, self.characterMap) = (addsPrefix, removesSpaces, characterMap)
  }
}

extension SentencePieceModel {
  /// Reads the pieces of a `spiece.model`.
  ///
  /// - Throws: ``TokenizerError`` with the byte at fault.
  public init(parsing bytes: [UInt8], file: String) throws(TokenizerError) {
    let proto = try ModelProto(parsing: bytes, file: file)
    self.init(
      pieces: proto.pieces.map { String(decoding: bytes[$0.text], as: UTF8.self) }, scores: proto.pieces.map(\.score),
      kinds: proto.pieces.map { Int(clamping: $0.kind) }, addsPrefix: proto.addsPrefix,
      removesSpaces: proto.removesSpaces, characterMap: proto.characterMap)
    func id(_ field: Int, _ usual: Int) -> Int {
      proto.integers[field].map { Int(Int32(truncatingIfNeeded: $0)) } ?? usual
    }
    (unknown, end, padding) = (id(40, 0), id(42, 2), id(43, -1))
    hasByteFallback = proto.integers[35].map { $0 != 0 } ?? false
  }

  /// A `spiece.model` of these parts: a `ModelProto` of `sentencepiece_model.proto`.
  public var serialized: [UInt8] {
    var model = ProtobufBytes()
    for i in pieces.indices {
      var piece = ProtobufBytes()
      piece.bytes(1, Array(pieces[i].utf8))
      piece.float(2, scores[i])
      piece.integer(3, kinds[i])
      model.bytes(1, piece.bytes)
    }
    var trainer = ProtobufBytes()
    trainer.integer(3, 1)
    trainer.integer(4, pieces.count)
    trainer.integer(35, hasByteFallback ? 1 : 0)
    trainer.integer(40, unknown)
    trainer.integer(41, -1)
    trainer.integer(42, end)
    trainer.integer(43, padding)
    model.bytes(2, trainer.bytes)
    var normalizer = ProtobufBytes()
    if !characterMap.isEmpty { normalizer.bytes(2, characterMap) }
    normalizer.integer(3, addsPrefix ? 1 : 0)
    normalizer.integer(4, removesSpaces ? 1 : 0)
    model.bytes(3, normalizer.bytes)
    return model.bytes
  }
}

/// A protocol-buffer message while it is put together.
private struct ProtobufBytes {
  private(set) var bytes: [UInt8] = []

  private mutating func variable(_ value: UInt64) {
    var value = value
    while value > 127 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 128)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }

  mutating func integer(_ field: Int, _ value: Int) {
    variable(UInt64(field << 3))
    variable(UInt64(bitPattern: Int64(value)))
  }

  mutating func float(_ field: Int, _ value: Float) {
    variable(UInt64(field << 3 | 5))
    for i in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * i))) }
  }

  mutating func bytes(_ field: Int, _ value: [UInt8]) {
    variable(UInt64(field << 3 | 2))
    variable(UInt64(value.count))
    bytes += value
  }
}
