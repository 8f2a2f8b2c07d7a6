import Foundation
import Media
import Testing

private struct GoldenImages: Decodable {
  struct Case: Decodable {
    let width: Int
    let height: Int
    let max_area: Int
    let ti2v: [Int]
    let i2v: [Int]
  }

  let images: [Case]
}

@Suite("Image placement") struct PlacementTests {
  @Test("both families' preparations equal the published code's")
  func golden() async throws {
    let ffmpeg = try requireFFmpeg()
    let parts = goldenFolder.appendingPathComponent("parts")
    let tensors = try GoldenTensors(parts.appendingPathComponent("misc.safetensors"))
    let list = try JSONDecoder().decode(
      GoldenImages.self, from: Data(contentsOf: parts.appendingPathComponent("misc.json")))
    #expect(!list.images.isEmpty)
    for (i, golden) in list.images.enumerated() {
      let image = try await readImage(path: parts.appendingPathComponent("image\(i).png").path, ffmpeg: ffmpeg)
      #expect(image.width == golden.width && image.height == golden.height)

      let cropped = try prepareCropped(image, maximumArea: golden.max_area)
      #expect(cropped.width == golden.ti2v[0] && cropped.height == golden.ti2v[1])
      #expect(cropped.values == (try tensors.floats("ti2v.\(i)")).values)

      let stretched = try prepareStretched(image, maximumArea: golden.max_area)
      #expect(stretched.width == golden.i2v[0] && stretched.height == golden.i2v[1])
      #expect(relativeError(stretched.values, try tensors.floats("i2v.\(i)").values) < 1e-6)
    }
  }

  @Test("an image too elongated for the area is refused", arguments: [(5000, 1), (1, 5000)])
  func elongated(_ width: Int, _ height: Int) {
    #expect(throws: MediaError.self) {
      try ImagePlacement.bestOutputSize(
        imageWidth: width, imageHeight: height, multipleOf: (32, 32), maximumArea: 64 * 64)
    }
    #expect(throws: MediaError.self) {
      try ImagePlacement.areaSize(imageWidth: width, imageHeight: height, maximumArea: 64 * 64)
    }
  }

  @Test("sizes stay within the area, in steps, near the image's shape")
  func sizes() throws {
    for width in stride(from: 40, through: 4000, by: 173) {
      for height in stride(from: 40, through: 4000, by: 211) {
        let size = try ImagePlacement.bestOutputSize(
          imageWidth: width, imageHeight: height, multipleOf: (32, 32), maximumArea: 1280 * 704)
        #expect(size.width % 32 == 0 && size.height % 32 == 0 && size.width * size.height <= 1280 * 704)
        let area = try ImagePlacement.areaSize(imageWidth: width, imageHeight: height, maximumArea: 832 * 480)
        #expect(area.width % 16 == 0 && area.height % 16 == 0 && area.width * area.height <= 832 * 480)
      }
    }
  }
}
