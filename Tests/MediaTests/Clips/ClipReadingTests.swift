import Foundation
import TestSupport
import Testing

@testable import Media

@Suite("Reading clips") struct ClipReadingTests {
  private func write(_ path: String, _ frames: [RGBImage], rate: FrameRate = 24) async throws {
    let settings = try ClipSettings(
      width: frames[0].width, height: frames[0].height, frameRate: rate, frameCount: frames.count)
    let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpegForTests)
    for frame in frames { try await writer.write(frame) }
    try await writer.finish()
  }

  private func clip(width: Int = 64, height: Int = 48, count: Int = 9) -> [RGBImage] {
    (0..<count).map { testImage(width: width, height: height, phase: $0) }
  }

  private func difference(_ a: RGBImage, _ b: RGBImage) -> (mean: Double, most: Int) {
    let steps = zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }
    return (Double(steps.reduce(0, +)) / Double(steps.count), steps.max() ?? 0)
  }

  @Test(
    "what was written comes back, frame by frame, with its rate",
    arguments: [("a.mp4", 4, 90), ("a.webm", 4, 90), ("a.gif", 9, 100), ("a.y4m", 1, 3), ("a.png", 0, 0)])
  func formats(_ name: String, _ mean: Double, _ most: Int) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let frames = clip()
    try await write(folder.path(name), frames)
    let reader = try await ClipReader(path: folder.path(name), ffmpeg: ffmpeg)
    #expect((reader.width, reader.height) == (64, 48))
    #expect(reader.frameRate == (name == "a.png" ? nil : 24))
    #expect(reader.facts.frameCount == 9 && reader.facts.isPictures == (name == "a.png"))
    for frame in frames {
      let found = try #require(try await reader.next())
      let difference = difference(found, frame)
      #expect(difference.mean <= mean, "\(difference)")
      #expect(difference.most <= most, "\(difference)")
    }
    #expect(try await reader.next() == nil)
    #expect(try await reader.next() == nil)
  }

  @Test(
    "rates come back as the fractions that they are",
    arguments: [
      FrameRate(24), FrameRate(16), FrameRate(30000, over: 1001), FrameRate(24000, over: 1001), FrameRate(25, over: 2),
      50,
    ], ["mp4", "webm", "gif", "y4m"])
  func rates(_ rate: FrameRate, _ ending: String) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    for count in [2, 33] {
      try await write(folder.path("a." + ending), clip(width: 16, height: 16, count: count), rate: rate)
      let found = try await ClipReader(path: folder.path("a." + ending), ffmpeg: ffmpeg).frameRate
      // Hundredths of a second do not tell much of one pause.
      if count == 2, ending == "gif" || ending == "webm" {
        #expect(abs(1 / (found?.value ?? 0) - 1 / rate.value) < 0.011)
      } else if ending == "gif" {
        #expect(abs((found?.value ?? 0) / rate.value - 1) < 0.01, "\(String(describing: found))")
      } else {
        #expect(found == rate, "\(count) frames")
      }
    }
  }

  @Test(
    "a part of a clip is that part", arguments: ["a.y4m", "a.png", "a.mp4"],
    [ClipReadingOptions.Part.range(2..<5), .range(8..<9), .last(3), .last(9)])
  func parts(_ name: String, _ part: ClipReadingOptions.Part) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    try await write(folder.path(name), clip())
    let all = try await readClip(path: folder.path(name), ffmpeg: ffmpeg)
    let wanted =
      switch part {
      case .all: 0..<9
      case .range(let range): range
      case .last(let count): 9 - count..<9
      }
    let found = try await readClip(path: folder.path(name), ffmpeg: ffmpeg, options: .init(part: part))
    #expect(found == Array(all[wanted]))
  }

  @Test("a film is resampled by repeating and leaving out")
  func resampled() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    try await write(folder.path("a.y4m"), clip(count: 24))
    let all = try await readClip(path: folder.path("a.y4m"), ffmpeg: ffmpeg)
    let half = try await ClipReader(path: folder.path("a.y4m"), ffmpeg: ffmpeg, options: .init(frameRate: 12))
    #expect(half.frameRate == 12 && half.facts.frameRate == 24)
    var found: [RGBImage] = []
    while let frame = try await half.next() { found.append(frame) }
    #expect(found.count == 12 && found.allSatisfy(all.contains))
    let double = try await readClip(
      path: folder.path("a.y4m"), ffmpeg: ffmpeg, options: .init(frameRate: 48, part: .range(0..<40)))
    #expect(double == (0..<40).map { all[$0 / 2] })
  }

  @Test("frames are fitted to a size, stretched or cut")
  func fitted() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let frames = clip(count: 2)
    try await write(folder.path("a.png"), frames)
    for (shape, expected) in [
      (ClipReadingOptions.Fitting.Shape.stretched, frames.map { $0.lanczosResized(width: 32, height: 32) }),
      (.covering, frames.map { $0.lanczosResized(width: 42, height: 32).centerCropped(width: 32, height: 32) }),
    ] {
      let options = ClipReadingOptions(fitting: .init(width: 32, height: 32, shape: shape))
      #expect(try await readClip(path: folder.path("a.png"), ffmpeg: ffmpeg, options: options) == expected)
    }
  }

  @Test("pictures come in the order of their numbers, by a folder, a pattern, a set's name, or alone")
  func pictures() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let frames = clip(width: 8, height: 8, count: 11)
    for (i, frame) in frames.enumerated() {
      try await writePNG(path: folder.path("f\(i + 1).png"), image: frame, ffmpeg: ffmpeg)
    }
    try Data("notes".utf8).write(to: folder.url.appendingPathComponent("notes.txt"))
    #expect(try await readClip(path: folder.path, ffmpeg: ffmpeg) == frames)
    #expect(try await readClip(path: folder.path("f%d.png"), ffmpeg: ffmpeg) == frames)
    #expect(try await readClip(path: folder.path("f3.png"), ffmpeg: ffmpeg) == [frames[2]])
    try FileManager.default.removeItem(atPath: folder.path("f4.png"))
    let error = await #expect(throws: MediaError.self) {
      try await readClip(path: folder.path("f%d.png"), ffmpeg: ffmpeg)
    }
    #expect(error?.description.contains("f4.png is missing: its set goes on with f5.png") == true)
  }

  @Test("a film of a picture each second, colours by the matrix of its tag", arguments: ["bt709", "smpte170m"])
  func matrices(_ matrix: String) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    try await runFFmpeg(
      ffmpeg,
      ["-f", "lavfi", "-i", "color=c=0x20C040:size=64x64:rate=4:duration=1"] + [
        "-vf", "scale=out_color_matrix=\(matrix == "bt709" ? "bt709" : "bt601"),format=yuv444p", "-colorspace", matrix,
        "-c:v", "libx264", "-crf", "1", folder.path("a.mp4"),
      ])
    let frame = try await readClip(path: folder.path("a.mp4"), ffmpeg: ffmpeg)[0]
    let centre = Array(frame.pixels[3 * (32 * 64 + 32)..<3 * (32 * 64 + 33)])
    #expect(zip(centre, [0x20, 0xC0, 0x40]).allSatisfy { abs(Int($0) - $1) <= 3 }, "\(centre)")
  }
}

/// Runs ffmpeg to make what this project does not write itself.
func runFFmpeg(_ ffmpeg: FFmpeg, _ arguments: [String]) async throws {
  let result = try await ffmpeg.collect(
    ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"] + arguments, limit: 1000, subject: "a test's file")
  try #require(result.succeeded, "\(result.log.lines)")
}
