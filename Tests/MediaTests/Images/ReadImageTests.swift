import Foundation
import TestSupport
import Testing

@testable import Media

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
      ("text.png", "hello, I am a text", "it is text"), ("text.txt", "hello\nI am a text", "it is text"),
      ("list.m3u8", "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "a playlist"),
      ("concat.txt", "ffconcat version 1.0\nfile /etc/passwd\n", "it is text"),
      ("short.jpg", "\u{FF}", "it is text"),
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
        #expect(
          found.contains("no intact picture") || found.contains("it ends"),
          "\(name), \(part) of \(bytes.count): \(found)")
      }
    }
  }

  @Test("a header that claims 100 000 x 100 000 is refused before decoding")
  func enormous() async throws {
    let folder = try TemporaryFolder()
    let size: [UInt8] = [0, 1, 0x86, 0xA0]
    let png: [UInt8] =
      [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8) + size + size
      + [8, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + Array("IDAT".utf8) + [0, 0, 0, 0]
    try Data(png).write(to: URL(fileURLWithPath: folder.path("huge.png")))
    #expect(try await error(folder.path("huge.png")).contains("100000x100000, more than 178956970 pixels"))
    let qoi = Array("qoif".utf8) + [UInt8](repeating: 0xFF, count: 8) + [3, 0] + [0, 0, 0, 0, 0, 0, 0, 1]
    try Data(qoi).write(to: URL(fileURLWithPath: folder.path("beyond.qoi")))
    #expect(try await error(folder.path("beyond.qoi")).contains("4294967295x4294967295, more than"))
    let pixmap = Data("P6\n64 64\n255\n".utf8) + Data(repeating: 9, count: 64 * 64 * 3)
    try pixmap.write(to: URL(fileURLWithPath: folder.path("small.ppm")))
    #expect(try await error(folder.path("small.ppm")) == "no error, but 64x64")
    #expect(try await error(folder.path("small.ppm"), limit: 4095).contains("more than 4095 pixels"))
  }

  @Test(
    "names that ffmpeg could misread are only names",
    arguments: [
      "-i.png", "a:b.png", "http:x.png", "%03d.png", "%d.tga", "concat:a.ico", "file:b", "a*[0-9]?.bmp", "a b'\".png",
      "$(id)`id`;.png", "a\nb.png",
    ])
  func names(_ name: String) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let image = testImage(width: 9, height: 7)
    try await writePNG(path: folder.path("plain.png"), image: image, ffmpeg: ffmpeg)
    try FileManager.default.moveItem(atPath: folder.path("plain.png"), toPath: folder.path(name))
    #expect(try await readImage(path: folder.path(name), ffmpeg: ffmpeg) == image)
  }

  @Test("a pipe, a device and links to them are refused without being opened")
  func special() async throws {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/mkfifo")
    process.arguments = [folder.path("pipe.png")]
    try process.run()
    process.waitUntilExit()
    let manager = FileManager.default
    try manager.createSymbolicLink(atPath: folder.path("link.png"), withDestinationPath: "pipe.png")
    try manager.createSymbolicLink(atPath: folder.path("zero.png"), withDestinationPath: "/dev/zero")
    try manager.createSymbolicLink(atPath: folder.path("twice.png"), withDestinationPath: "zero.png")
    for name in ["pipe.png", "link.png", "zero.png", "twice.png"] {
      #expect(try await error(folder.path(name)).contains("not a regular file"), "\(name)")
    }
  }

  @Test("bytes are read as their file is")
  func bytes() async throws {
    let ffmpeg = try requireFFmpeg()
    let image = testImage(width: 9, height: 7)
    let pixmap = Array("P6\n9 7\n255\n".utf8) + image.pixels
    #expect(try await readImage(bytes: pixmap, name: "-", ffmpeg: ffmpeg) == image)
    await #expect(throws: MediaError.cannotRead(path: "-", reason: "it is empty")) {
      try await readImage(bytes: [], name: "-", ffmpeg: ffmpeg)
    }
  }

  @Test("ffmpeg's copy of a picture has no name any more when ffmpeg starts")
  func leftovers() async throws {
    let folder = try TemporaryFolder()
    let ffmpeg = try standIn(
      folder, "readlink /proc/$$/fd/0 >\(folder.path("link")); cat >\(folder.path("seen")); exit 1")
    let pixmap = Array("P6\n1 1\n255\nabc".utf8)
    await #expect(throws: MediaError.self) { try await readImage(bytes: pixmap, name: "x", ffmpeg: ffmpeg) }
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path("seen"))) == Data(pixmap))
    #if os(Linux)
      let link = try String(contentsOfFile: folder.path("link"), encoding: .utf8)
      #expect(link.contains("wan-picture-") && link.hasSuffix("/stream (deleted)\n"), "\(link)")
      let copy = URL(fileURLWithPath: String(link.dropLast("/stream (deleted)\n".count))).path
      #expect(!FileManager.default.fileExists(atPath: copy))
    #endif
  }

  @Test("an ffmpeg that is gone or cannot run is said to be the fault", arguments: [true, false])
  func cannotRun(_ isGone: Bool) async throws {
    let folder = try TemporaryFolder()
    let ffmpeg = try standIn(folder, "exit 0")
    if isGone {
      try FileManager.default.removeItem(atPath: ffmpeg.path)
    } else {
      try Data("#!/nowhere/sh\n".utf8).write(to: URL(fileURLWithPath: ffmpeg.path))
    }
    let error = await #expect(throws: MediaError.self) {
      try await readImage(bytes: Array("P6\n1 1\n255\nabc".utf8), name: "x", ffmpeg: ffmpeg)
    }
    #expect("\(try #require(error))".contains("could not run \(ffmpeg.path)"))
  }

  @Test("ffmpeg's memory is bounded by the picture's size")
  func memory() async throws {
    let folder = try TemporaryFolder()
    let pixmap = Array("P6\n100 100\n255\n".utf8) + [UInt8](repeating: 9, count: 30_000)
    let ffmpeg = try standIn(folder, "ulimit -v >\(folder.path("limit")); exit 1")
    await #expect(throws: MediaError.self) {
      try await readImage(bytes: pixmap, name: "x", ffmpeg: ffmpeg)
    }
    #if os(Linux)
      let limit = try String(contentsOfFile: folder.path("limit"), encoding: .utf8)
      let kibibytes = try #require(Int(limit.split(separator: "\n")[0]))
      #expect((768 << 10..<(768 << 10) + 2000).contains(kibibytes), "\(kibibytes)")
    #endif
  }

  @Test("ffmpeg's time is bounded")
  func time() async throws {
    let folder = try TemporaryFolder()
    let ffmpeg = try standIn(folder, "exec sleep 1000")
    try FileManager.default.createDirectory(atPath: folder.path("copy"), withIntermediateDirectories: false)
    try Data([1]).write(to: URL(fileURLWithPath: folder.path("copy/stream")))
    let clock = ContinuousClock()
    let start = clock.now
    let input = BoundedInput(path: folder.path("copy/stream"), bounds: DecodeBounds(kibibytes: 1 << 21, seconds: 1))
    let error = await #expect(throws: MediaError.self) {
      try await ffmpeg.collect([], limit: 10, subject: "x.png", input: input)
    }
    #expect("\(try #require(error))".contains("stopped after 1 seconds"))
    // Far below what the stand-in takes, and enough for a machine that runs every other test meanwhile.
    #expect(clock.now - start < .seconds(300))
  }

  /// A script in place of ffmpeg.
  private func standIn(_ folder: TemporaryFolder, _ script: String) throws -> FFmpeg {
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(fileURLWithPath: folder.path("fake")))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("fake"))
    return try FFmpeg.locate(folder.path("fake"), searchPath: nil)
  }

  @Test("reading stops when its task is cancelled")
  func cancellation() async throws {
    let folder = try TemporaryFolder()
    let ffmpeg = try standIn(folder, "exec sleep 1000")
    let pixmap = Array("P6\n1 1\n255\nabc".utf8)
    let task = Task { try await readImage(bytes: pixmap, name: "x", ffmpeg: ffmpeg) }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    let result = await task.result
    #expect(throws: MediaError.cancelled(path: "x")) { try result.get() }
  }
}
