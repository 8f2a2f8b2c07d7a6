import Foundation

/// A tokenizer of a few pieces in both formats, small enough to be damaged ten thousand times.
enum SmallTokenizer {
  static let pieces: [(text: String, score: Float, kind: UInt8)] = [
    ("<pad>", 0, 3), ("</s>", 0, 3), ("<unk>", 0, 2), ("▁", -2, 1), ("a", -3, 1), ("▁fo", -4, 1), ("x", -3.5, 1),
    ("色", -5, 1),
  ]

  /// Maps A to a: a root, a unit for the byte 41 that leads to unit 2, whose value is offset 0 of the replacements.
  static let characterMap: [UInt8] = {
    var units = [UInt32](repeating: 0, count: 0x41)
    units[0] = 1 << 10
    units[0x40] = 0x42 << 10 | 0x100 | 0x41
    let words = [UInt32(units.count * 4)] + units
    return words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) } } + [0x61, 0]
  }()

  static let json: [UInt8] = {
    let vocabulary = pieces.map { "[\"\($0.text)\", \($0.score)]" }.joined(separator: ", ")
    let text = """
      {"added_tokens": [{"id": 1, "content": "</s>", "lstrip": true, "rstrip": false, "normalized": false}],
      "normalizer": {"type": "Sequence", "normalizers": [
      {"type": "Precompiled", "precompiled_charsmap": "\(Data(characterMap).base64EncodedString())"},
      {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}]},
      "pre_tokenizer": {"type": "Metaspace", "replacement": "\\u2581", "prepend_scheme": "always", "split": true},
      "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}, {"SpecialToken":
      {"id": "</s>"}}], "special_tokens": {"</s>": {"id": "</s>", "ids": [1]}}},
      "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false, "vocab": [\(vocabulary)]}}
      """
    return Array(text.utf8)
  }()

  static let sentencePiece: [UInt8] = sentencePiece(pieces, characterMap: characterMap)

  static func sentencePiece(
    _ pieces: [(text: String, score: Float, kind: UInt8)], characterMap: [UInt8]
  ) -> [UInt8] {
    let listed = pieces.flatMap { piece in
      let bits = piece.score.bitPattern
      let score = (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
      return field(1, field(1, Array(piece.text.utf8)) + [2 << 3 | 5] + score + [3 << 3, piece.kind])
    }
    let trainer: [UInt8] = [3 << 3, 1, 40 << 3 & 0x7F | 0x80, 40 >> 4, 2]
    return listed + field(2, trainer) + field(3, field(2, characterMap))
  }

  /// A length-delimited field.
  private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    var length: [UInt8] = []
    var rest = content.count
    while rest > 0x7F {
      length.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return [number << 3 | 2] + length + [UInt8(rest)] + content
  }
}
