import Files
import Foundation
import Media

/// What is piped into the command.
enum StandardInput {
  /// More bytes than any picture that the reader accepts has.
  private static let limit = 1 << 30

  /// The picture that standard input holds.
  static func picture(ffmpeg: FFmpeg) async throws -> RGBImage {
    guard isatty(0) == 0 else {
      throw CommandError("--image - reads a picture from standard input, which is a terminal")
    }
    let bytes: [UInt8]
    do { bytes = try Descriptor.readToEnd(0, limit: limit, isCancelled: { Task.isCancelled }) } catch {
      try Task.checkCancellation()
      throw MediaError.cannotRead(path: "standard input", reason: "\(error)")
    }
    return try await readImage(bytes: bytes, name: "standard input", ffmpeg: ffmpeg)
  }
}
