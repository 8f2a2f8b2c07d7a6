import Foundation
import Media
import TestSupport
import Testing

@Suite("Clips") struct ClipTests {
  static let metadata = #"{"prompt": "a cat; 狐 = #1 \"quoted\" C:\\path", "seed": 42}"# + "\nsecond line\n  third"

  private func write(
    _ path: String, frames: [RGBImage], metadata: String? = ClipTests.metadata, rate: FrameRate = 24
  ) async throws {
    let settings = try ClipSettings(
      width: frames[0].width, height: frames[0].height, frameRate: rate, frameCount: frames.count, metadata: metadata)
    let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpegForTests)
    for frame in frames { try await writer.write(frame) }
    try await writer.finish()
  }

  private func clip(width: Int = 64, height: Int = 48, count: Int = 6) -> [RGBImage] {
    (0..<count).map { testImage(width: width, height: height, phase: $0) }
  }

  private func meanError(_ a: RGBImage, _ b: RGBImage) -> Double {
    guard a.pixels.count == b.pixels.count else { return .infinity }
    return Double(zip(a.pixels, b.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(a.pixels.count)
  }

  @Test(
    "every format is written whole, reads back, and leaves no other file",
    arguments: [
      ("clip.mp4", 2.5), ("clip.webm", 3.5), ("clip.gif", 8), ("still.png", 0), ("clip.y4m", 1), ("A%d.MP4", 2.5),
    ])
  func formats(_ name: String, _ tolerance: Double) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let frames = clip(count: name.hasSuffix("png") ? 1 : 6)
    try await write(folder.path(name), frames: frames)
    #expect(folder.contents == [name])
    let first = try await firstFrame(path: folder.path(name), ffmpeg: ffmpeg)
    #expect(meanError(first, frames[0]) <= tolerance, "mean error \(meanError(first, frames[0]))")
    let comment = try await readComment(path: folder.path(name), ffmpeg: ffmpeg)
    #expect(comment == (name.hasSuffix("y4m") ? nil : Self.metadata))
  }

  @Test("odd sizes are kept, but for .mp4, which grows by one", arguments: ["mp4", "webm", "gif", "png", "y4m"])
  func oddSizes(_ suffix: String) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let path = folder.path("odd." + suffix)
    try await write(path, frames: clip(width: 33, height: 21, count: 1))
    let image = try await firstFrame(path: path, ffmpeg: ffmpeg)
    #expect(image.width == (suffix == "mp4" ? 34 : 33))
    #expect(image.height == (suffix == "mp4" ? 22 : 21))
  }

  @Test(
    "a percent sign in a folder's name is no number, whatever follows it", arguments: ["50%d", "50%\u{301}d", "%%"])
  func percentFolders(_ name: String) async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: false)
    try await write(folder.path(name) + "/a.png", frames: clip(count: 2))
    #expect(try folder.allContents().map { $0.split(separator: "/").last } == [name[...], "a-0001.png", "a-0002.png"])
  }

  @Test("a set of stills is numbered and equal to its frames, whatever its name")
  func stills() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let frames = clip(count: 3)
    try await write(folder.path("-a%02d b.v2.png"), frames: frames)
    #expect(folder.contents == (1...3).map { "-a%02d b.v2-000\($0).png" })
    for (i, name) in folder.contents.enumerated() {
      #expect(try await readImage(path: folder.path(name), ffmpeg: ffmpeg) == frames[i])
      #expect(try await readComment(path: folder.path(name), ffmpeg: ffmpeg) == Self.metadata)
    }
  }

  @Test("the same frames give the same bytes", arguments: ["mp4", "webm", "gif", "png", "y4m"])
  func deterministic(_ suffix: String) async throws {
    _ = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let (first, second) = (folder.path("a." + suffix), folder.path("b." + suffix))
    let frames = clip(count: suffix == "png" ? 1 : 6)
    try await write(first, frames: frames)
    try await write(second, frames: frames)
    #expect(try Data(contentsOf: URL(fileURLWithPath: first)) == Data(contentsOf: URL(fileURLWithPath: second)))
  }

  @Test("a comment of 300 000 bytes survives", arguments: ["mp4", "webm", "gif", "png"])
  func longComment(_ suffix: String) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let text = String(repeating: "長い文 = ;", count: 23_000)
    try await write(folder.path("long." + suffix), frames: clip(count: 1), metadata: text)
    #expect(try await readComment(path: folder.path("long." + suffix), ffmpeg: ffmpeg) == text)
  }

  @Test("an existing target is replaced, but only when the clip is complete")
  func replaces() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let path = folder.path("clip.mp4")
    try Data("old".utf8).write(to: URL(fileURLWithPath: path))
    let frames = clip()
    let settings = try ClipSettings(width: 64, height: 48, frameRate: 24, frameCount: 6)
    let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpeg)
    for frame in frames {
      try await writer.write(frame)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("old".utf8))
    }
    try await writer.finish()
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count > 100)
    #expect(folder.contents == ["clip.mp4"])
  }

  @Test("y4m needs no ffmpeg and states its header")
  func y4m() async throws {
    let folder = try TemporaryFolder()
    let settings = try ClipSettings(width: 5, height: 3, frameRate: FrameRate(23.976), frameCount: 2)
    let writer = try await ClipWriter(path: folder.path("a.y4m"), settings: settings, ffmpeg: nil)
    for i in 0..<2 { try await writer.write(testImage(width: 5, height: 3, phase: i)) }
    try await writer.finish()
    let bytes = try Data(contentsOf: folder.url.appendingPathComponent("a.y4m"))
    let header = "YUV4MPEG2 W5 H3 F24000:1001 Ip A1:1 C444 XYSCSS=444 XCOLORRANGE=LIMITED\n"
    #expect(bytes.starts(with: Data(header.utf8)))
    #expect(bytes.count == header.utf8.count + 2 * (6 + 45))
  }
}
