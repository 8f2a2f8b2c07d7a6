import Foundation
import Media
import TestSupport
import Testing

/// PNG files made without ffmpeg, and sheets of pictures.
struct PlainPNGTests {
  @Test("a PNG holds the very pixels", arguments: [(1, 1), (3, 5), (128, 200), (511, 300)])
  func pixels(width: Int, height: Int) async throws {
    let folder = try TemporaryFolder()
    let picture = testImage(width: width, height: height)
    let path = folder.path("a.png")
    try Data(picture.png()).write(to: URL(fileURLWithPath: path))
    #expect(try await readImage(path: path, ffmpeg: requireFFmpeg()) == picture)
  }

  @Test("a sheet has each picture in its place, black between them and where none is left")
  func sheet() {
    let pictures = (0..<5).map { RGBImage(width: 2, height: 1, pixels: Array(repeating: UInt8($0 + 1), count: 6)) }
    let sheet = RGBImage.sheet(of: pictures, columns: 3, gap: 1)
    #expect(sheet.width == 8 && sheet.height == 3)
    let reds = stride(from: 0, to: sheet.pixels.count, by: 3).map { sheet.pixels[$0] }
    #expect(reds == [1, 1, 0, 2, 2, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 0, 5, 5, 0, 0, 0])
  }

  @Test(
    "sheets are about twice as wide as high",
    arguments: [(1, 16, 9, 1), (5, 8, 8, 3), (21, 104, 60, 5), (31, 52, 30, 6)]
  )
  func columns(count: Int, width: Int, height: Int, columns: Int) {
    let picture = RGBImage(width: width, height: height, pixels: Array(repeating: 0, count: 3 * width * height))
    #expect(picture.sheetColumns(count: count) == columns)
  }
}
