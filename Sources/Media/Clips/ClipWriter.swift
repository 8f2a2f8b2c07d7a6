import Files

/// Writes a clip frame by frame. The target appears, complete, when `finish()` returns, and not before: until then
/// everything lies in a hidden folder beside it, which is removed on failure, on cancellation, and when the writer is
/// let go of. A clip that is finished and cannot take its name is kept under another one.
///
/// Memory does not grow with the number of frames: `write` returns when the encoder has taken the frame. (.gif is the
/// exception: there ffmpeg itself keeps the frames until it has chosen their palette.)
public final actor ClipWriter {
  private enum State {
    case open, busy, closed
  }

  private let target: ClipTarget
  private let settings: ClipSettings
  private let workshop: ClipWorkshop
  /// Started by the first frame, which may come days after the writer was made.
  private var encoder: (any FrameEncoder)?
  private var state = State.open
  private var written = 0

  /// Checks the target's name, folder and disk, and sends one frame through the encoder and back.
  ///
  /// - Parameter ffmpeg: may be nil for .y4m only.
  /// - Throws: `unknownFormat`, `badSettings`, `ffmpegMissing`, `cannotWrite`, `ffmpegFailed`, `cancelled`.
  public init(to target: ClipTarget, settings: ClipSettings, ffmpeg: FFmpeg?) async throws(MediaError) {
    try target.check(frameCount: settings.frameCount, frameRate: settings.frameRate)
    workshop = try ClipWorkshop(target: target, settings: settings, ffmpeg: ffmpeg)
    do throws(MediaError) {
      try await workshop.tryEncoder()
    } catch {
      workshop.folder?.remove()
      throw error
    }
    self.target = target
    self.settings = settings
  }

  /// A writer to a file, or a numbered set of pictures; see ``init(to:settings:ffmpeg:)``.
  public init(path: String, settings: ClipSettings, ffmpeg: FFmpeg?) async throws(MediaError) {
    try await self.init(to: ClipTarget(path: path), settings: settings, ffmpeg: ffmpeg)
  }

  deinit {
    guard case .closed = state else {
      encoder?.abandon()
      workshop.folder?.remove()
      return
    }
  }

  /// Hands one frame to the encoder. Frames are written one at a time: wait for each before the next.
  ///
  /// - Throws: `badFrame` for a wrong size, one too many, or two at once; `ffmpegFailed`, `cannotWrite`, `cancelled`.
  ///   Except after two at once, the writer is then closed and its files are gone.
  public func write(_ frame: RGBImage) async throws(MediaError) {
    try await attempt { () async throws(MediaError) in
      guard written < settings.frameCount else {
        throw .badFrame(reason: "'\(target.name)' was to have \(settings.frameCount) frames; here comes another")
      }
      guard frame.width == settings.width, frame.height == settings.height else {
        let sizes = "\(settings.width)x\(settings.height), not \(frame.width)x\(frame.height)"
        throw .badFrame(reason: "the frames of '\(target.name)' are \(sizes)")
      }
      try await startedEncoder().write(frame)
      written += 1
    }
  }

  /// Completes the clip, reads it back, and gives it its name.
  ///
  /// - Returns: what is to be known of a clip that is there all the same, in a line each.
  /// - Throws: as `write`; `badFrame` when frames are missing; `keptElsewhere` when the clip is complete and its name
  ///   could not be given to it.
  @discardableResult
  public func finish() async throws(MediaError) -> [String] {
    var notices: [String] = []
    try await attempt { () async throws(MediaError) in
      guard written == settings.frameCount else {
        throw .badFrame(reason: "'\(target.name)' has \(written) of its \(settings.frameCount) frames")
      }
      try await startedEncoder().finish()
      try checkNotCancelled()
      try await workshop.check()
      try checkNotCancelled()
      notices = try workshop.publish()
    }
    state = .closed
    workshop.folder?.remove()
    return notices
  }

  /// Stops the encoder and removes everything. Does nothing to a clip that is finished.
  public func cancel() async {
    if case .closed = state { return }
    state = .closed
    encoder?.abandon()
    await encoder?.ended()
    workshop.folder?.remove()
  }

  private func startedEncoder() throws(MediaError) -> any FrameEncoder {
    if let encoder { return encoder }
    let started = try workshop.makeEncoder()
    encoder = started
    return started
  }

  /// Does one step, or closes the writer.
  private func attempt(_ step: () async throws(MediaError) -> Void) async throws(MediaError) {
    switch state {
    case .open: state = .busy
    case .busy: throw .badFrame(reason: "frames of '\(target.name)' must be written one at a time")
    case .closed: throw .cancelled(path: target.name)
    }
    do throws(MediaError) {
      if Task.isCancelled { throw .cancelled(path: target.name) }
      try await step()
      try checkNotCancelled()
      state = .open
    } catch {
      let wasCancelled = if case .closed = state { true } else { false }
      await cancel()
      if wasCancelled { throw .cancelled(path: target.name) }
      throw error
    }
  }

  /// `cancel()` may have come while a step waited.
  private func checkNotCancelled() throws(MediaError) {
    if case .closed = state { throw .cancelled(path: target.name) }
  }
}

/// Writes one still.
///
/// - Parameter path: must end in .png.
/// - Throws: as `ClipWriter`.
public func writePNG(path: String, image: RGBImage, ffmpeg: FFmpeg, metadata: String? = nil) async throws(MediaError) {
  guard try ClipFormat(path: path) == .png else { throw .unknownFormat(path: path, known: [".png"]) }
  let settings = try ClipSettings(
    width: image.width, height: image.height, frameRate: 1, frameCount: 1, metadata: metadata)
  let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpeg)
  try await writer.write(image)
  try await writer.finish()
}
