import Files

/// One frame through the encoder and back, before a long computation whose frames it is to take: an encoder that is not
/// there, dies at once or finds no memory is known then.
struct EncoderTrial {
  let ffmpeg: FFmpeg
  let settings: ClipSettings
  let container: ClipFormat.Container
  /// Where the trial's file lies for its time.
  let folder: OutputFolder

  /// - Throws: `ffmpegFailed`, `cannotWrite`, `cancelled`.
  func run(path: String) async throws(MediaError) {
    let single = try settings.with(frameCount: 1)
    let names = ClipFiles.encoded("trial", container, in: folder)
    let arguments = EncoderArguments(settings: single, metadataFile: nil)
      .arguments(for: container, output: "file:" + names.pattern)
    let encoder = try FFmpegEncoder(ffmpeg, arguments: arguments, path: path)
    // One frame of the largest size takes a slow machine seconds.
    let seconds = 60 + settings.width * settings.height / 100_000
    let alarm = Task {
      try await Task.sleep(for: .seconds(seconds))
      encoder.abandon()
    }
    defer { alarm.cancel() }
    do throws(MediaError) {
      try await encoder.write(RGBImage(black: settings.width, settings.height))
      try await encoder.finish()
      try await ClipCheck(ffmpeg: ffmpeg, path: path).check(names.pattern, is: container, settings: single)
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
