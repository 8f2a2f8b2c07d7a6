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
