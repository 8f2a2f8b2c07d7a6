import Foundation
import Media
import TestSupport
import Testing

let ffmpegForTests: FFmpeg? = try? FFmpeg.locate(searchPath: ProcessInfo.processInfo.environment["PATH"])

func requireFFmpeg() throws -> FFmpeg {
  try #require(ffmpegForTests, "these tests need ffmpeg: apt install ffmpeg")
}

/// A smooth picture with some detail, the same for the same arguments.
func testImage(width: Int, height: Int, phase: Int = 0) -> RGBImage {
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      let wave = (x * 7 + y * 3 + phase * 11) % 64
      pixels += [
        UInt8((x * 200 / width + wave / 2) & 255), UInt8((y * 200 / height + 40) & 255),
        UInt8(((x + y) * 120 / (width + height) + phase * 5) & 255),
      ]
    }
  }
  return RGBImage(width: width, height: height, pixels: pixels)
}

/// The first frame of a clip, which `readImage` refuses to take for a picture.
func firstFrame(path: String, ffmpeg: FFmpeg) async throws -> RGBImage {
  let folder = try TemporaryFolder()
  let process = Process()
  process.executableURL = URL(fileURLWithPath: ffmpeg.path)
  let scaling = "scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp+bicubic+bitexact,format=rgb24"
  process.arguments = ["-v", "error", "-nostdin", "-i", "file:" + path, "-frames:v", "1", "-vf", scaling]
  process.arguments? += [folder.path("frame.png")]
  process.standardInput = FileHandle.nullDevice
  try process.run()
  process.waitUntilExit()
  return try await readImage(path: folder.path("frame.png"), ffmpeg: ffmpeg)
}

extension SeededGenerator {
  mutating func next(below limit: Int) -> Int { Int(next() % UInt64(limit)) }

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
