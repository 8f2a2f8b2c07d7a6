import Foundation
import Media
import TestSupport

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
