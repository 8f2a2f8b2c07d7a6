import Files
import Foundation
import Media

/// What is piped into the command.
enum StandardInput {
  /// More bytes than any picture that the reader accepts has.
  private static let limit = 1 << 30

  /// The picture that standard input holds, through a file of its own for as long as it is read.
  static func picture(ffmpeg: FFmpeg) async throws -> RGBImage {
    let name = "standard input"
    guard isatty(0) == 0 else {
      throw CommandError("--image - reads a picture from standard input, which is a terminal")
    }
    let folder = try OutputFolder(beside: Paths.join(FileManager.default.temporaryDirectory.path, "wan-picture"))
    defer { folder.remove() }
    do {
      try folder.fill("picture", from: 0, limit: limit)
      return try await readImage(path: folder.file("picture"), ffmpeg: ffmpeg)
    } catch MediaError.cannotRead(_, let reason) {
      throw MediaError.cannotRead(path: name, reason: reason)
    } catch MediaError.imageTooLarge(_, let width, let height, let limit) {
      throw MediaError.imageTooLarge(path: name, width: width, height: height, limit: limit)
    } catch let error as OutputError {
      throw MediaError.cannotRead(path: name, reason: error.description)
    }
  }
}
