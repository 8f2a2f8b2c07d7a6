/// A comment in a GIF (GIF89a, 24): an extension block before the trailer.
enum GIFComment {
  private static let trailer: UInt8 = 0x3B

  /// The clip with the comment before its end; nil where it has no end.
  static func adding(_ comment: String, to image: [UInt8]) -> [UInt8]? {
    guard image.last == trailer else { return nil }
    return image.dropLast() + block(comment) + [trailer]
  }

  private static func block(_ comment: String) -> [UInt8] {
    var out: [UInt8] = [0x21, 0xFE]
    var rest = MetadataText.cleaned(comment)[...]
    while !rest.isEmpty {
      let part = rest.prefix(255)
      out.append(UInt8(part.count))
      out += part
      rest = rest.dropFirst(part.count)
    }
    return out + [0]
  }

  /// Walks the blocks from the start: a comment may stand anywhere.
  static func read(_ source: inout some ByteSource) -> String? {
    guard let flags = source.bytes(at: 10, count: 1).first else { return nil }
    var offset = 13 + colorTable(flags)
    for _ in 0..<1_000_000 {
      let head = source.bytes(at: offset, count: 10)
      switch head.first {
      case 0x21 where head.count > 1:
        let isComment = head[1] == 0xFE
        let text = blocks(&source, from: offset + 2, keep: isComment)
        if isComment { return String(decoding: text.bytes, as: UTF8.self) }
        offset = text.end
      case 0x2C where head.count == 10:
        offset = blocks(&source, from: offset + 11 + colorTable(head[9]), keep: false).end
      default: return nil
      }
    }
    return nil
  }

  private static func colorTable(_ flags: UInt8) -> Int { flags & 0x80 == 0 ? 0 : 3 << (Int(flags & 7) + 1) }

  private static func blocks(_ source: inout some ByteSource, from start: Int, keep: Bool) -> (bytes: [UInt8], end: Int)
  {
    var bytes: [UInt8] = []
    var offset = start
    while let count = source.bytes(at: offset, count: 1).first, count > 0 {
      if keep { bytes += source.bytes(at: offset + 1, count: Int(count)) }
      offset += 1 + Int(count)
    }
    return (bytes, offset + 1)
  }
}
