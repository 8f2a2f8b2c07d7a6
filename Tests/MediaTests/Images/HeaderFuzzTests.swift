import TestSupport
import Testing

@testable import Media

@Suite("Headers") struct HeaderFuzzTests {
  @Test("40 000 damaged pictures neither crash nor run on")
  func damaged() throws {
    var random = SeededGenerator(seed: 7)
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
    var random = SeededGenerator(seed: 11)
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

  @Test("10 000 damaged pixmaps are whole or refused")
  func damagedAnswers() {
    var random = SeededGenerator(seed: 8)
    let pixmap = Array("P6\n3 2\n255\n".utf8) + [UInt8](repeating: 7, count: 18)
    #expect(RGBImage(pixmap: pixmap)?.width == 3)
    for _ in 0..<10_000 {
      if let image = RGBImage(pixmap: random.damage(pixmap)) { #expect(image.pixels.count <= 32) }
    }
  }
}
