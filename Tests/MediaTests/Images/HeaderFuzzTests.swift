import Foundation
import Testing

@testable import Media

@Suite("Headers") struct HeaderFuzzTests {
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

  @Test("40 000 damaged pictures neither crash nor run on")
  func damaged() throws {
    var random = SplitMix(state: 7)
    let seeds = try PictureSample.all.map { try $0.bytes() }
    for round in 0..<40_000 {
      let seed = seeds[round % seeds.count]
      // Most damage to the headers, which are at the start, or for TIFF at the end.
      let part = random.next(below: 2) == 0 ? 400 : seed.count
      let bytes = random.damage(seed, within: part)
      guard let picture = try? CodedPicture(of: bytes) else { continue }
      #expect(picture.width > 0 && picture.height > 0)
      #expect(picture.stream.count <= 6 * bytes.count + 100_000, "round \(round)")
      let (width, height) = picture.largest
      guard width <= 1_000_000 / height else { continue }
      let request = DecodeRequest(picture: picture)
      #expect(request.outputLimit <= 16_000_000 && request.bounds.kibibytes < 4 << 20, "round \(round)")
      #expect(request.image([1, 2, 3]) == nil)
    }
  }

  @Test("whatever a damaged picture's frame is, what is done with it fits", arguments: ["heic", "avif", "gif", "webp"])
  func damagedSteps(_ suffix: String) throws {
    var random = SplitMix(state: 11)
    let seeds = try PictureSample.all.filter { $0.file.hasSuffix(suffix) }.map { try $0.bytes() }
    for round in 0..<2000 {
      let bytes = random.damage(seeds[round % seeds.count], within: 700)
      guard let picture = try? CodedPicture(of: bytes), case let (width, height) = picture.largest,
        width <= 40_000 / height
      else { continue }
      let request = DecodeRequest(picture: picture)
      if case .planes = picture.form {
        #expect(request.image([UInt8](repeating: 9, count: request.outputLimit)) != nil, "round \(round)")
      } else {
        let pixels = [UInt8](repeating: 9, count: picture.width * picture.height * 3)
        #expect(request.image(Array("P6\n\(picture.width) \(picture.height)\n255\n".utf8) + pixels) != nil)
      }
    }
  }

  @Test("comments are found in PNG and GIF, and 20 000 damaged ones neither crash nor run on")
  func comments() {
    var (png, gif) = (ArraySource(content: Self.png), ArraySource(content: Self.gif))
    #expect(PNGComment.read(&png) == "hello")
    #expect(GIFComment.read(&gif) == "hello")
    var random = SplitMix(state: 10)
    for round in 0..<20_000 {
      var source = CountingSource(content: random.damage(round % 2 == 0 ? Self.png : Self.gif))
      _ = StillFormat(start: source.bytes(at: 0, count: 512))
      _ = PNGComment.read(&source)
      _ = GIFComment.read(&source)
      #expect(source.reads < 400, "round \(round)")
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
  ///
  /// - Parameter part: how many bytes at the start are open to change; nil for all.
  mutating func damage(_ seed: [UInt8], within part: Int? = nil) -> [UInt8] {
    var bytes = seed
    for _ in 0...next(below: 4) {
      let edge: [UInt8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF]
      bytes[next(below: min(part ?? bytes.count, bytes.count))] =
        next(below: 2) == 0 ? edge[next(below: 6)] : UInt8(next(below: 256))
    }
    return next(below: 4) == 0 ? Array(bytes.prefix(next(below: bytes.count))) : bytes
  }
}
