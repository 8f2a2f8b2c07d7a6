/// A comment in a PNG (ISO 15948): an iTXt chunk, or a tEXt chunk where the text is plain ASCII.
enum PNGComment {
  private static let headerEnd = 8 + 12 + 13

  /// The picture with the comment behind its header; nil where there is no header.
  static func adding(_ comment: String, to image: [UInt8]) -> [UInt8]? {
    guard image.count > headerEnd else { return nil }
    return image.prefix(headerEnd) + chunk(comment) + image.dropFirst(headerEnd)
  }

  static func read(_ source: inout some ByteSource) -> String? {
    var offset = 8
    for _ in 0..<4096 {
      let head = ByteReader(bytes: source.bytes(at: offset, count: 8))
      guard let length = head.integer(at: 0, size: 4), !head.starts(with: "IEND", at: 4) else { return nil }
      if length < 1 << 22, head.starts(with: "tEXt", at: 4) || head.starts(with: "iTXt", at: 4) {
        let text = source.bytes(at: offset + 8, count: length)
        if let comment = comment(in: text, international: head.starts(with: "iTXt", at: 4)) { return comment }
      }
      offset += 12 + length
    }
    return nil
  }

  private static let keyword = Array("Comment".utf8) + [0]

  private static func chunk(_ comment: String) -> [UInt8] {
    let text = MetadataText.cleaned(comment)
    let isPlain = text.allSatisfy { $0 < 0x80 }
    // iTXt: not compressed, no language, no translated keyword.
    return PNGChunk.bytes(isPlain ? "tEXt" : "iTXt", keyword + (isPlain ? [] : [0, 0, 0, 0]) + text)
  }

  private static func comment(in text: [UInt8], international: Bool) -> String? {
    guard text.starts(with: keyword) else { return nil }
    let rest = text.dropFirst(keyword.count)
    guard international else { return String(decoding: rest, as: UTF8.self) }
    let fields = rest.dropFirst(2).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    guard rest.first == 0, fields.count == 3 else { return nil }
    return String(decoding: fields[2], as: UTF8.self)
  }
}
