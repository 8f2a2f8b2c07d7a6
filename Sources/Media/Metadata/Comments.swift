/// The comment that a `ClipWriter` left in a file: .mp4, .webm, .gif and .png keep it, .y4m does not.
///
/// - Returns: nil when there is none.
/// - Throws: `cannotRead`, `ffmpegFailed`, `cancelled`.
public func readComment(path: String, ffmpeg: FFmpeg) async throws(MediaError) -> String? {
  guard var source = FileSource(path: path) else {
    throw .cannotRead(path: path, reason: "it cannot be opened")
  }
  switch StillFormat(start: source.bytes(at: 0, count: 512)) {
  case .png: return PNGComment.read(&source)
  case .gif: return GIFComment.read(&source)
  default: break
  }
  let arguments =
    ["-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file"]
    + ["-format_whitelist", "mov,matroska,yuv4mpegpipe"]
  let result = try await ffmpeg.collect(
    arguments + ["-i", "file:" + path, "-f", "ffmetadata", "pipe:1"], limit: 1 << 24, subject: path)
  guard result.succeeded else {
    throw .ffmpegFailed(path: path, status: result.status, log: result.log.lines)
  }
  return MetadataText.decode(result.output)
}

/// ffmpeg's own text form of metadata, through which a comment of any length reaches the encoder and comes back.
///
/// It is a form of bytes: a backslash stands before each of `= ; # \` and a line feed, whatever follows it. As
/// characters of a `String` they could be joined to a combining mark behind them, and not be seen.
enum MetadataText {
  private static let signature = Array(";FFMETADATA1\n".utf8)
  private static let key = Array("comment=".utf8)
  private static let special = Set("=;#\\\n".utf8)
  private static let backslash = UInt8(ascii: "\\")
  private static let lineFeed = UInt8(ascii: "\n")

  static func encode(_ comment: String) -> [UInt8] {
    signature + key + cleaned(comment).flatMap { special.contains($0) ? [backslash, $0] : [$0] } + [lineFeed]
  }

  /// The comment among the global tags, or nil.
  static func decode(_ text: [UInt8]) -> String? {
    guard text.starts(with: signature) else { return nil }
    var line: [UInt8] = []
    var isEscaped = false
    for byte in text.dropFirst(signature.count) + [lineFeed] {
      if byte == lineFeed, !isEscaped {
        if let value = comment(in: line) { return value }
        // A section of a stream or chapter begins.
        if line.first == UInt8(ascii: "[") { return nil }
        line = []
      } else {
        line.append(byte)
      }
      isEscaped = !isEscaped && byte == backslash
    }
    return comment(in: line)
  }

  /// Without the zero bytes that end a string in C; every line break as one line feed.
  static func cleaned(_ comment: String) -> [UInt8] {
    let carriageReturn = UInt8(ascii: "\r")
    var out: [UInt8] = []
    var last: UInt8 = 0
    for byte in comment.utf8 where byte != 0 {
      if byte == carriageReturn {
        out.append(lineFeed)
      } else if byte != lineFeed || last != carriageReturn {
        out.append(byte)
      }
      last = byte
    }
    return out
  }

  private static func comment(in line: [UInt8]) -> String? {
    guard line.count >= key.count, zip(line, key).allSatisfy({ $0 == $1 || $0 | 0x20 == $1 }) else { return nil }
    var value: [UInt8] = []
    var isEscaped = false
    for byte in line.dropFirst(key.count) {
      if byte == backslash, !isEscaped {
        isEscaped = true
      } else {
        value.append(byte)
        isEscaped = false
      }
    }
    return String(decoding: value, as: UTF8.self)
  }
}
