/// Why reading an image or writing a clip failed: what was wrong, where, and what to do about it.
public enum MediaError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No executable of that name lies in the searched folders.
  case ffmpegMissing(name: String, searched: [String])
  /// The file cannot be opened, or holds no picture that ffmpeg can decode.
  case cannotRead(path: String, reason: String)
  /// There is no clip at that place, or it is damaged, ends early or has frames that cannot be read.
  case cannotReadClip(path: String, reason: String)
  /// The picture has more pixels than the reader accepts; nothing was decoded.
  case imageTooLarge(path: String, width: Int, height: Int, limit: Int)
  /// The file name's extension is none of the known ones.
  case unknownFormat(path: String, known: [String])
  /// A clip cannot have these settings.
  case badSettings(reason: String)
  /// A frame does not fit the clip it was written to.
  case badFrame(reason: String)
  /// The target, its folder or its disk refused; nothing was left behind.
  case cannotWrite(path: String, reason: String)
  /// The clip is complete, and could not be given its name; it lies where `at` says.
  case keptElsewhere(path: String, at: String, reason: String)
  /// ffmpeg ended with a failure; `log` holds its last lines.
  case ffmpegFailed(path: String, status: String, log: [String])
  /// The task was cancelled, or the writer was.
  case cancelled(path: String)

  public var description: String {
    switch self {
    case .ffmpegMissing(let name, let searched):
      "the '\(name)' command was not found in \(Self.list(searched, ifEmpty: "an empty search path")): install it"
        + " (Debian, Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg)"
    case .cannotRead(let path, let reason): "cannot read an image from '\(path)': \(reason)"
    case .cannotReadClip(let path, let reason): "cannot read a clip from '\(path)': \(reason)"
    case .imageTooLarge(let path, let width, let height, let limit):
      "the image '\(path)' is \(width)x\(height), more than \(limit) pixels: scale it down first"
    case .unknownFormat(let path, let known):
      "cannot tell the format of '\(path)' from its name: end it in one of \(known.joined(separator: " "))"
    case .badSettings(let reason), .badFrame(let reason): reason
    case .cannotWrite(let path, let reason): "cannot write '\(path)': \(reason)"
    case .keptElsewhere(let path, let place, let reason):
      "the finished clip could not be named '\(path)' (\(reason)): it is kept as '\(place)'"
    case .ffmpegFailed(let path, let status, let log):
      "ffmpeg failed on '\(path)' (\(status)): \(Self.list(log, ifEmpty: "it gave no reason"))"
    case .cancelled(let path): "'\(path)' was cancelled"
    }
  }

  private static func list(_ items: [String], ifEmpty replacement: String) -> String {
    items.isEmpty ? replacement : items.joined(separator: "; ")
  }
}
