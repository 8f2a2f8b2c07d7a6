extension RGBImage {
  /// The picture itself, or scaled down so that neither side is longer than `side`.
  public func within(_ side: Int) -> RGBImage {
    precondition(side > 0, "RGBImage: a side must be positive, not \(side)")
    let longest = max(width, height)
    guard longest > side else { return self }
    func scaled(_ length: Int) -> Int { max(1, (length * side + longest / 2) / longest) }
    return lanczosResized(width: scaled(width), height: scaled(height))
  }

  /// The bytes of a JPEG file of high quality, which holds no metadata.
  ///
  /// - Throws: `ffmpegFailed`, `cannotRead` where its copy for ffmpeg cannot be written, `cancelled`.
  public func jpeg(ffmpeg: FFmpeg) async throws(MediaError) -> [UInt8] {
    let name = "the picture"
    let arguments =
      ["-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "pipe", "-threads", "1"]
      + ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", "\(width)x\(height)", "-i", "pipe:0"]
      + ["-frames:v", "1", "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p", "-f", "image2pipe", "pipe:1"]
    let copy = try TemporaryPicture(pixels, name: name)
    defer { copy.remove() }
    let bounds = DecodeBounds(kibibytes: (768 << 20 + 40 * width * height) >> 10, seconds: 60)
    let result = try await ffmpeg.collect(
      arguments, limit: pixels.count + 1 << 16, subject: name, input: BoundedInput(path: copy.path, bounds: bounds))
    guard result.succeeded, result.output.starts(with: [0xFF, 0xD8, 0xFF]) else {
      throw .ffmpegFailed(path: name, status: result.status, log: result.log.lines)
    }
    return result.output
  }
}
