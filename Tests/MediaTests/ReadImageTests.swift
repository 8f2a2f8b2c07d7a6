import Foundation
import Media
import TestSupport
import Testing

@Suite("Reading images") struct ReadImageTests {
  private func error(_ path: String, limit: Int = defaultPixelLimit) async throws -> String {
    let ffmpeg = try requireFFmpeg()
    do {
      let image = try await readImage(path: path, ffmpeg: ffmpeg, pixelLimit: limit)
      return "no error, but \(image.width)x\(image.height)"
    } catch { return "\(error)" }
  }

  private func jpeg(_ folder: TemporaryFolder, _ image: RGBImage) async throws -> [UInt8] {
    let png = folder.path("source.png")
    try await writePNG(path: png, image: image, ffmpeg: requireFFmpeg())
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try requireFFmpeg().path)
    process.arguments = ["-v", "error", "-y", "-i", png, "-q:v", "2", folder.path("source.jpg")]
    try process.run()
    process.waitUntilExit()
    return [UInt8](try Data(contentsOf: folder.url.appendingPathComponent("source.jpg")))
  }

  /// An APP1 segment that says nothing but an orientation.
  private func exif(_ orientation: UInt8, littleEndian: Bool) -> [UInt8] {
    let tiff: [UInt8] =
      littleEndian
      ? [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
      : [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
    let payload = Array("Exif\0\0".utf8) + tiff
    return [0xFF, 0xE1, 0, UInt8(payload.count + 2)] + payload
  }

  @Test("EXIF orientations 1 to 8 turn the picture upright", arguments: 1...8, [true, false])
  func orientations(_ orientation: Int, _ littleEndian: Bool) async throws {
    let folder = try TemporaryFolder()
    // Four corners of distinct brightness: white, light, dark, black, clockwise from the top left.
    let (width, height) = (48, 32)
    let pixels = (0..<width * height).flatMap { i -> [UInt8] in
      let (right, low) = (i % width >= width / 2, i / width >= height / 2)
      return [UInt8](repeating: low ? (right ? 90 : 0) : (right ? 170 : 255), count: 3)
    }
    let plain = try await jpeg(folder, RGBImage(width: width, height: height, pixels: pixels))
    let marked = plain[0..<2] + exif(UInt8(orientation), littleEndian: littleEndian) + plain[2...]
    let path = folder.path("turned.jpg")
    try Data(marked).write(to: URL(fileURLWithPath: path))
    let image = try await readImage(path: path, ffmpeg: requireFFmpeg())
    let swapped = orientation > 4
    #expect(image.width == (swapped ? height : width) && image.height == (swapped ? width : height))
    func tone(_ x: Int, _ y: Int) -> Int { Int(image.pixels[3 * (y * image.width + x)]) / 64 }
    let corners = [
      tone(2, 2), tone(image.width - 3, 2), tone(image.width - 3, image.height - 3), tone(2, image.height - 3),
    ]
    // Clockwise from the top left; stored: 3 2 1 0.
    let upright = [
      [3, 2, 1, 0], [2, 3, 0, 1], [1, 0, 3, 2], [0, 1, 2, 3], [3, 0, 1, 2], [0, 3, 2, 1], [1, 2, 3, 0], [2, 1, 0, 3],
    ]
    #expect(corners == upright[orientation - 1])
  }

  @Test(
    "bad input is named",
    arguments: [
      ("missing.png", nil, "no such file"), ("empty.png", "", "it is empty"),
      ("text.png", "hello, I am a text", "no intact picture"), ("text.txt", "hello\nI am a text", "no intact picture"),
      ("list.m3u8", "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "no intact picture"),
      ("concat.txt", "ffconcat version 1.0\nfile /etc/passwd\n", "no intact picture"),
      ("short.jpg", "\u{FF}", "no intact picture"),
    ])
  func badInput(_ name: String, _ text: String?, _ expected: String) async throws {
    let folder = try TemporaryFolder()
    if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path(name))) }
    let found = try await error(folder.path(name))
    #expect(found.contains(expected) && found.contains(name), "\(found)")
  }

  @Test("a folder, a device and a missing folder are refused", arguments: ["/tmp", "/dev/zero", "/nowhere/a.png", ""])
  func notFiles(_ path: String) async throws {
    #expect(try await error(path).hasPrefix("cannot read an image"))
  }

  @Test("a truncated PNG and a truncated JPEG are refused")
  func truncated() async throws {
    let folder = try TemporaryFolder()
    let jpeg = try await jpeg(folder, testImage(width: 120, height: 80))
    let png = [UInt8](try Data(contentsOf: folder.url.appendingPathComponent("source.png")))
    for (name, bytes) in [("cut.png", png), ("cut.jpg", jpeg)] {
      for part in [bytes.count / 10, bytes.count / 2, bytes.count * 9 / 10] {
        try Data(bytes.prefix(part)).write(to: URL(fileURLWithPath: folder.path(name)))
        let found = try await error(folder.path(name))
        #expect(found.contains("no intact picture"), "\(name), \(part) of \(bytes.count): \(found)")
      }
    }
  }

  @Test("a header that claims 100 000 x 100 000 is refused before decoding")
  func enormous() async throws {
    let folder = try TemporaryFolder()
    let size: [UInt8] = [0, 1, 0x86, 0xA0]
    let png: [UInt8] =
      [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8) + size + size + [
        8, 2, 0, 0, 0,
      ]
    try Data(png).write(to: URL(fileURLWithPath: folder.path("huge.png")))
    #expect(try await error(folder.path("huge.png")).contains("100000x100000, more than 178956970 pixels"))
    // A format whose header is not read here: ffmpeg's own limit holds.
    let pixmap = Data("P6\n64 64\n255\n".utf8) + Data(repeating: 9, count: 64 * 64 * 3)
    try pixmap.write(to: URL(fileURLWithPath: folder.path("small.ppm")))
    #expect(try await error(folder.path("small.ppm")) == "no error, but 64x64")
    #expect(try await error(folder.path("small.ppm"), limit: 4095).contains("more than 4095 pixels"))
  }

  @Test(
    "names that ffmpeg could misread are only names",
    arguments: ["-i.png", "a:b.png", "http:x.png", "%03d.png", "a b'\".png"])
  func names(_ name: String) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let image = testImage(width: 9, height: 7)
    try await writePNG(path: folder.path(name), image: image, ffmpeg: ffmpeg)
    #expect(try await readImage(path: folder.path(name), ffmpeg: ffmpeg) == image)
  }

  @Test("reading stops when its task is cancelled")
  func cancellation() async throws {
    let folder = try TemporaryFolder()
    let fake = folder.path("fake")
    try Data("#!/bin/sh\nexec sleep 1000\n".utf8).write(to: URL(fileURLWithPath: fake))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fake)
    let ffmpeg = try FFmpeg.locate(fake, searchPath: nil)
    let task = Task { try await readImage(path: fake, ffmpeg: ffmpeg) }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    let result = await task.result
    #expect(throws: MediaError.cancelled(path: fake)) { try result.get() }
  }
}
