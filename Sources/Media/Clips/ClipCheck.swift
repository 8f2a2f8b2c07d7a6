import Files

/// Reads a finished clip back: ffmpeg's exit code alone does not tell that it is whole.
struct ClipCheck {
  let ffmpeg: FFmpeg
  /// The clip that errors name.
  let path: String

  /// Seconds that reading may take: far more than it does on a slow machine.
  private static func patience(_ settings: ClipSettings) -> Int {
    120 + settings.width * settings.height * settings.frameCount / 500_000
  }

  /// - Parameter file: for .png the pattern of the numbered set, percent signs doubled elsewhere.
  /// - Throws: `cannotWrite` when it cannot be decoded to its end, or does not hold as many frames; `cancelled`.
  func check(_ file: String, is format: ClipFormat, settings: ClipSettings) async throws(MediaError) {
    let frameCount = settings.frameCount
    var arguments = ["-nostdin", "-hide_banner", "-loglevel", "error", "-xerror", "-nostats", "-progress", "pipe:1"]
    arguments += ["-protocol_whitelist", "file", "-threads", "2"]
    if format == .png { arguments += ["-f", "image2", "-start_number", "1"] }
    arguments += ["-i", "file:" + file, "-map", "0:v:0", "-f", "null", "-"]
    let result = try await ffmpeg.collect(
      arguments, limit: 1 << 22, subject: path, seconds: Self.patience(settings))
    let words = result.log.lines.joined(separator: "; ")
    guard result.succeeded, words.isEmpty else {
      throw .cannotWrite(path: path, reason: "what the encoder left cannot be read back: \(words)")
    }
    let count = Self.frames(in: result.output)
    guard count == frameCount else {
      throw .cannotWrite(path: path, reason: "the encoder left \(count) of \(frameCount) frames")
    }
  }

  /// The last of the lines `frame=N` that ffmpeg reports.
  private static func frames(in progress: [UInt8]) -> Int {
    let lines = String(decoding: progress, as: UTF8.self).split(separator: "\n")
    return lines.last { $0.hasPrefix("frame=") }.flatMap { Int($0.dropFirst(6)) } ?? 0
  }
}

/// One frame through the encoder and back, before a long computation whose frames it is to take: an encoder that is not
/// there, dies at once or finds no memory is known then.
struct EncoderTrial {
  let ffmpeg: FFmpeg
  let settings: ClipSettings
  let format: ClipFormat
  /// Where the trial's file lies for its time.
  let folder: OutputFolder

  /// - Throws: `ffmpegFailed`, `cannotWrite`, `cancelled`.
  func run(path: String) async throws(MediaError) {
    let single = try settings.with(frameCount: 1)
    let names = ClipFiles.encoded("trial", format, in: folder)
    let arguments = EncoderArguments(settings: single, metadataFile: nil)
      .arguments(for: format, output: "file:" + names.pattern)
    let encoder = try FFmpegEncoder(ffmpeg, arguments: arguments, path: path)
    // One frame of the largest size takes a slow machine seconds; one whose processors are all taken takes far more.
    let seconds = 180 + settings.width * settings.height / 100_000
    let alarm = Task {
      try await Task.sleep(for: .seconds(seconds))
      encoder.abandon()
    }
    defer { alarm.cancel() }
    do throws(MediaError) {
      try await encoder.write(RGBImage(black: settings.width, settings.height))
      try await encoder.finish()
      try await ClipCheck(ffmpeg: ffmpeg, path: path).check(names.pattern, is: format, settings: single)
    } catch {
      let isLate = !Task.isCancelled && encoder.isAbandoned
      encoder.abandon()
      await encoder.ended()
      throw isLate ? .ffmpegFailed(path: path, status: "one frame took more than \(seconds) seconds", log: []) : error
    }
    folder.discard(names.first)
  }
}

extension ClipSettings {
  fileprivate func with(frameCount: Int) throws(MediaError) -> ClipSettings {
    try ClipSettings(width: width, height: height, frameRate: frameRate, frameCount: frameCount)
  }
}

extension RGBImage {
  fileprivate init(black width: Int, _ height: Int) {
    self.init(width: width, height: height, pixels: Array(repeating: 0, count: width * height * 3))
  }
}
