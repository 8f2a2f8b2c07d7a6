import Testing

@testable import Media

@Suite("Headers") struct HeaderFuzzTests {
  private static let tiff: [UInt8] = [
    0x49, 0x49, 42, 0, 8, 0, 0, 0, 3, 0,
    0x00, 0x01, 3, 0, 1, 0, 0, 0, 40, 0, 0, 0, 0x01, 0x01, 4, 0, 1, 0, 0, 0, 30, 0, 0, 0,
    0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
  ]
  private static let exif = Array("Exif\0\0".utf8) + tiff

  private static func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
    [0, 0, 0, UInt8(body.count)] + Array(name.utf8) + body + [0, 0, 0, 0]
  }

  private static let png: [UInt8] =
    [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", [0, 0, 0, 40, 0, 0, 0, 30, 16, 2, 0, 0, 0])
    + chunk("tEXt", Array("Comment\0hello".utf8)) + chunk("IDAT", [1, 2, 3]) + chunk("eXIf", tiff) + chunk("IEND", [])

  private static let jpeg: [UInt8] =
    [0xFF, 0xD8, 0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif
    + [0xFF, 0xFF, 0xC2, 0, 17, 8, 0, 30, 0, 40, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xFF, 0xDA, 0, 2]

  private static let webp: [UInt8] =
    Array("RIFF".utf8) + [90, 0, 0, 0] + Array("WEBPVP8X".utf8) + [10, 0, 0, 0, 8, 0, 0, 0, 39, 0, 0, 29, 0, 0]
    + Array("VP8 ".utf8) + [3, 0, 0, 0, 1, 2, 3, 0] + Array("EXIF".utf8) + [UInt8(exif.count), 0, 0, 0] + exif

  private static let gif: [UInt8] =
    Array("GIF89a".utf8) + [40, 0, 30, 0, 0x80, 0, 0, 1, 2, 3, 4, 5, 6, 0x2C, 0, 0, 0, 0, 40, 0, 30, 0, 0, 2, 1, 9, 0]
    + [0x21, 0xFE, 5] + Array("hello".utf8) + [0, 0x3B]

  private static let bmp: [UInt8] =
    Array("BM".utf8) + [UInt8](repeating: 0, count: 12) + [
      40, 0, 0, 0, 40, 0, 0, 0, 0xE2, 0xFF, 0xFF, 0xFF, 1, 0, 24, 0,
    ]

  private static let seeds: [(String, [UInt8])] = [
    ("png", png), ("jpeg", jpeg), ("webp", webp), ("tiff", tiff), ("gif", gif), ("bmp", bmp),
  ]

  @Test("each format's size and orientation are found")
  func plain() throws {
    for (name, bytes) in Self.seeds {
      var source = ArraySource(content: bytes)
      let header = try #require(ImageHeader(parsing: &source), "\(name)")
      #expect(header.width == 40 && header.height == 30, "\(name)")
      #expect(header.orientation == (["gif", "bmp"].contains(name) ? .upright : .turnRight), "\(name)")
      #expect(header.isDeep == (name == "png"))
      #expect(header.chroma == (name == "jpeg" ? .jpegQuarter : name == "webp" ? .webpQuarter : nil))
    }
    var (png, gif) = (ArraySource(content: Self.png), ArraySource(content: Self.gif))
    #expect(PNGComment.read(&png) == "hello")
    #expect(GIFComment.read(&gif) == "hello")
  }

  @Test("20 000 damaged headers neither crash nor run on")
  func damaged() {
    var random = SplitMix(state: 7)
    for round in 0..<20_000 {
      let bytes = random.damage(Self.seeds[round % Self.seeds.count].1)
      var source = CountingSource(content: bytes)
      if let header = ImageHeader(parsing: &source) {
        let request = DecodeRequest(path: "x", header: header, pixelLimit: 1000)
        #expect(request.outputLimit <= 6064)
      }
      #expect(source.reads < 200, "round \(round)")
      var comments = CountingSource(content: bytes)
      _ = PNGComment.read(&comments)
      _ = GIFComment.read(&comments)
      #expect(comments.reads < 400, "round \(round)")
    }
  }

  @Test("10 000 damaged pixmaps and metadata texts are whole or refused")
  func damagedAnswers() {
    var random = SplitMix(state: 8)
    let pixmap = Array("P6\n3 2\n255\n".utf8) + [UInt8](repeating: 7, count: 18)
    let text = Array(";FFMETADATA1\ntitle=a\\=b\ncomment=one\\\ntwo \\\\ \\; x\n[CHAPTER]\ncomment=no\n".utf8)
    #expect(RGBImage(pixmap: pixmap)?.width == 3)
    #expect(MetadataText.decode(text) == "one\ntwo \\ ; x")
    for _ in 0..<10_000 {
      if let image = RGBImage(pixmap: random.damage(pixmap)) { #expect(image.pixels.count <= 32) }
      _ = MetadataText.decode(random.damage(text))
    }
  }

  @Test("any text survives as metadata")
  func metadataRoundTrip() {
    var random = SplitMix(state: 9)
    let alphabet = Array("a=;#\\\n[]{}\" 狐e\u{301}\t'")
    for _ in 0..<2000 {
      let text = String((0..<random.next(below: 30)).map { _ in alphabet[random.next(below: alphabet.count)] })
      #expect(MetadataText.decode(MetadataText.encode(text)) == text)
    }
  }
}

private struct CountingSource: ByteSource {
  let content: [UInt8]
  var reads = 0

  mutating func bytes(at offset: Int, count: Int) -> [UInt8] {
    reads += 1
    return ArraySource(content: content).bytes(at: offset, count: count)
  }
}

private struct SplitMix {
  var state: UInt64

  mutating func next(below limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ z >> 31) % UInt64(limit))
  }

  /// Some bytes changed to edge values or noise, and now and then the end cut off.
  mutating func damage(_ seed: [UInt8]) -> [UInt8] {
    var bytes = seed
    for _ in 0...next(below: 4) {
      let edge: [UInt8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF]
      bytes[next(below: bytes.count)] = next(below: 2) == 0 ? edge[next(below: 6)] : UInt8(next(below: 256))
    }
    return next(below: 4) == 0 ? Array(bytes.prefix(next(below: bytes.count))) : bytes
  }
}
