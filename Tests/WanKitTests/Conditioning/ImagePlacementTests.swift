import Foundation
import Media
import Tensors
import TestSupport
import Testing

@testable import WanKit

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

@Suite("Image placement") struct ImagePlacementTests {
  @Test("both families' sizes and preparations equal the published code's")
  func golden() async throws {
    let ffmpeg = try FFmpeg.locate(searchPath: ProcessInfo.processInfo.environment["PATH"])
    let tensors = try Golden.tensors("parts/misc.safetensors")
    let list: GoldenImages = try Golden.json("parts/misc.json")
    #expect(!list.images.isEmpty)
    for (i, golden) in list.images.enumerated() {
      let image = try await readImage(path: Golden.folder() + "/parts/image\(i).png", ffmpeg: ffmpeg)
      #expect(image.width == golden.width && image.height == golden.height)

      let covered = try ImagePlacement.bestOutputSize(
        imageWidth: image.width, imageHeight: image.height, multipleOf: (32, 32), maximumArea: golden.max_area)
      #expect([covered.width, covered.height] == golden.ti2v)
      let cropped = image.croppedToCover(width: covered.width, height: covered.height)
      #expect(try cropped.values == #require(tensors["ti2v.\(i)"]).floats())

      let size = try ImagePlacement.areaSize(
        imageWidth: image.width, imageHeight: image.height, maximumArea: golden.max_area)
      #expect([size.width, size.height] == golden.i2v)
      let stretched = image.stretched(width: size.width, height: size.height)
      #expect(try relativeError(stretched.values, #require(tensors["i2v.\(i)"]).floats()) < 1e-6)
    }
  }

  @Test("an image too elongated for the area is refused", arguments: [(5000, 1), (1, 5000)])
  func elongated(_ width: Int, _ height: Int) {
    #expect(throws: PlacementError.self) {
      try ImagePlacement.bestOutputSize(
        imageWidth: width, imageHeight: height, multipleOf: (32, 32), maximumArea: 64 * 64)
    }
    #expect(throws: PlacementError.self) {
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
