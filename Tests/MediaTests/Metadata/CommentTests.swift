import TestSupport
import Testing

@testable import Media

@Suite("Comments") struct CommentTests {
  private static let png: [UInt8] = {
    func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
      [0, 0, 0, UInt8(body.count)] + Array(name.utf8) + body + [0, 0, 0, 0]
    }
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", [0, 0, 0, 40, 0, 0, 0, 30, 16, 2, 0, 0, 0])
      + chunk("tEXt", Array("Comment\0hello".utf8)) + chunk("IEND", [])
  }()

  private static let gif: [UInt8] =
    Array("GIF89a".utf8) + [40, 0, 30, 0, 0x80, 0, 0, 1, 2, 3, 4, 5, 6, 0x2C, 0, 0, 0, 0, 40, 0, 30, 0, 0, 2, 1, 9, 0]
    + [0x21, 0xFE, 5] + Array("hello".utf8) + [0, 0x3B]

  @Test("comments are found in PNG and GIF, and 20 000 damaged ones neither crash nor run on")
  func comments() {
    var (png, gif) = (CountingSource(content: Self.png), CountingSource(content: Self.gif))
    #expect(PNGComment.read(&png) == "hello")
    #expect(GIFComment.read(&gif) == "hello")
    var random = SeededGenerator(seed: 10)
    for round in 0..<20_000 {
      var source = CountingSource(content: random.damage(round % 2 == 0 ? Self.png : Self.gif))
      _ = StillFormat(start: source.bytes(at: 0, count: 512))
      _ = PNGComment.read(&source)
      _ = GIFComment.read(&source)
      #expect(source.reads < 400, "round \(round)")
    }
  }

  @Test("10 000 damaged metadata texts are read or refused")
  func damagedText() {
    var random = SeededGenerator(seed: 8)
    let text = Array(";FFMETADATA1\ntitle=a\\=b\ncomment=one\\\ntwo \\\\ \\; x\n[CHAPTER]\ncomment=no\n".utf8)
    #expect(MetadataText.decode(text) == "one\ntwo \\ ; x")
    for _ in 0..<10_000 {
      let damaged = random.damage(text)
      if let comment = MetadataText.decode(damaged) { #expect(comment.utf8.count <= 3 * damaged.count) }
    }
  }

  @Test("any text survives as metadata")
  func metadataRoundTrip() {
    var random = SeededGenerator(seed: 9)
    let alphabet = Array("a=;#\\\n[]{}\" 狐e\u{301}\t'")
    for _ in 0..<2000 {
      let text = String((0..<random.next(below: 30)).map { _ in alphabet[random.next(below: alphabet.count)] })
      #expect(MetadataText.decode(MetadataText.encode(text)) == text)
    }
  }
}

/// A buffer that counts how often it is read.
private struct CountingSource: ByteSource {
  let content: [UInt8]
  var reads = 0

  mutating func bytes(at offset: Int, count: Int) -> [UInt8] {
    reads += 1
    guard content.indices.contains(offset) else { return [] }
    return Array(content[offset..<min(content.count, offset + count)])
  }
}
