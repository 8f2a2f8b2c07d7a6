import Foundation
import Media
import TestSupport
import Testing

@Suite("Equal to Pillow and torch") struct PillowTests {
  /// The high bytes of a 64-bit linear congruential generator.
  private func noise(_ width: Int, _ height: Int) -> RGBImage {
    var state = UInt64(width * 65_537 + height)
    let pixels = (0..<width * height * 3).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(state >> 56)
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  private func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(0xFFFF_FFFF as UInt32) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
  }

  @Test("Lanczos gives Pillow's bytes, up, down and both ways")
  func lanczos() {
    for (width, height, newWidth, newHeight, expected) in PillowFixtures.lanczos {
      let image = noise(width, height).lanczosResized(width: newWidth, height: newHeight)
      #expect(checksum(image.pixels) == expected, "\(width)x\(height) to \(newWidth)x\(newHeight)")
    }
  }

  @Test("bicubic gives the values worked out by hand: doubled, a ramp and a step")
  func bicubic() {
    let ramp = PlanarImage(width: 4, height: 1, values: (0..<12).map { Float($0 % 4) })
    let doubled = ramp.bicubicResized(width: 8, height: 1)
    // Quarter-way taps at a = -0.75: -27/256, 225/256, 67/256, -9/256 with the edges repeated.
    func value(_ taps: [Float], _ samples: [Float]) -> Float { zip(taps, samples).reduce(0) { $0 + $1.0 * $1.1 } }
    let quarter: [Float] = [-0.10546875, 0.87890625, 0.26171875, -0.03515625]
    #expect(abs(doubled.values[1] - value(quarter, [0, 0, 1, 2])) < 1e-6)
    #expect(abs(doubled.values[2] - value(quarter.reversed(), [0, 0, 1, 2])) < 1e-6)
    #expect(abs(doubled.values[3] - value(quarter, [0, 1, 2, 3])) < 1e-6)
    #expect(abs(doubled.values[7] - value(quarter, [2, 3, 3, 3])) < 1e-6)
    #expect(ramp.bicubicResized(width: 4, height: 1) == ramp)
  }

  @Test("JPEG is within libjpeg's rounding, lossy WebP equal", arguments: ["quarter", "halfWidth", "webp"])
  func decoding(_ name: String) async throws {
    let (file, expected, tolerance) =
      switch name {
      case "quarter": (PillowFixtures.quarterFile, PillowFixtures.quarterPixels, 4)
      case "halfWidth": (PillowFixtures.halfWidthFile, PillowFixtures.halfWidthPixels, 4)
      default: (PillowFixtures.webpFile, PillowFixtures.webpPixels, 0)
      }
    let folder = try TemporaryFolder()
    try #require(Data(base64Encoded: file)).write(to: folder.url.appendingPathComponent(name))
    let image = try await readImage(path: folder.path(name), ffmpeg: requireFFmpeg())
    let pixels = [UInt8](try #require(Data(base64Encoded: expected)))
    #expect(image.width == 19 && image.height == 13)
    let differences = zip(image.pixels, pixels).map { abs(Int($0) - Int($1)) }
    #expect((differences.max() ?? 255) <= tolerance)
    #expect(differences.reduce(0, +) * 5 <= differences.count * tolerance)
  }

  @Test("to_tensor's values: black -1, white 1, the middle between")
  func planar() {
    let planar = RGBImage(width: 2, height: 1, pixels: [0, 51, 255, 255, 102, 0]).planar()
    #expect(zip(planar.values, [-1, 1, -0.6, -0.2, 1, -1]).allSatisfy { abs($0 - $1) < 1e-6 })
  }
}
