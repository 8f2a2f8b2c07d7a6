import Foundation

/// Writes a clip frame by frame. The target appears, complete, when `finish()` returns, and not before: until then
/// everything lies in a hidden folder beside it, which is removed on failure, on cancellation, and when the writer is
/// let go of.
///
/// Memory does not grow with the number of frames: `write` returns when the encoder has taken the frame. (.gif is the
/// exception: there ffmpeg itself keeps the frames until it has chosen their palette.)
public final actor ClipWriter {
  private enum State {
    case open, busy, closed
  }

  private let path: String
  private let settings: ClipSettings
  private let container: ClipFormat.Container
  private let folder: PartialFolder
  private let encoder: any FrameEncoder
  private var state = State.open
  private var written = 0

  /// Checks the target's name, folder and disk, and starts the encoder.
  ///
  /// - Parameter ffmpeg: may be nil for .y4m only.
  /// - Throws: `unknownFormat`, `ffmpegMissing`, `cannotWrite`, `ffmpegFailed`, `cancelled`.
  public init(path: String, settings: ClipSettings, ffmpeg: FFmpeg?) async throws(MediaError) {
    let container = try ClipFormat(path: path).container
    if container != .y4m, ffmpeg == nil { throw .ffmpegMissing(name: "ffmpeg", searched: []) }
    let known = container == .y4m ? settings.width * settings.height * 3 * settings.frameCount : 0
    let folder = try PartialFolder(target: path, neededBytes: known)
    do {
      self.encoder = try await Self.encoder(container, settings: settings, folder: folder, ffmpeg: ffmpeg)
    } catch {
      folder.remove()
      throw error
    }
    self.path = path
    self.settings = settings
    self.container = container
    self.folder = folder
  }

  /// Checks the target's name, folder and disk as `init` does, and leaves nothing there.
  ///
  /// - Throws: `unknownFormat`, `cannotWrite`.
  public static func checkTarget(path: String) throws(MediaError) {
    _ = try ClipFormat(path: path)
    try PartialFolder(target: path, neededBytes: 0).remove()
  }

  deinit {
    guard case .closed = state else {
      encoder.abandon()
      folder.remove()
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
        throw .badFrame(reason: "'\(path)' was to have \(settings.frameCount) frames; here comes another")
      }
      guard frame.width == settings.width, frame.height == settings.height else {
        let sizes = "\(settings.width)x\(settings.height), not \(frame.width)x\(frame.height)"
        throw .badFrame(reason: "the frames of '\(path)' are \(sizes)")
      }
      try await encoder.write(frame)
      written += 1
    }
  }

  /// Completes the clip and gives it its name.
  ///
  /// - Throws: as `write`; `badFrame` when frames are missing.
  public func finish() async throws(MediaError) {
    try await attempt { () async throws(MediaError) in
      guard written == settings.frameCount else {
        throw .badFrame(reason: "'\(path)' has \(written) of its \(settings.frameCount) frames")
      }
      try await encoder.finish()
      try checkNotCancelled()
      try publish()
    }
    state = .closed
    folder.remove()
  }

  /// Stops the encoder and removes everything. Does nothing to a clip that is finished.
  public func cancel() async {
    if case .closed = state { return }
    state = .closed
    encoder.abandon()
    await encoder.ended()
    folder.remove()
  }

  /// Does one step, or closes the writer.
  private func attempt(_ step: () async throws(MediaError) -> Void) async throws(MediaError) {
    switch state {
    case .open: state = .busy
    case .busy: throw .badFrame(reason: "frames of '\(path)' must be written one at a time")
    case .closed: throw .cancelled(path: path)
    }
    do throws(MediaError) {
      if Task.isCancelled { throw .cancelled(path: path) }
      try await step()
      try checkNotCancelled()
      state = .open
    } catch {
      let wasCancelled = if case .closed = state { true } else { false }
      await cancel()
      if wasCancelled { throw .cancelled(path: path) }
      throw error
    }
  }

  /// `cancel()` may have come while a step waited.
  private func checkNotCancelled() throws(MediaError) {
    if case .closed = state { throw .cancelled(path: path) }
  }

  private func publish() throws(MediaError) {
    let files = ClipFiles(path: path, container: container, frameCount: settings.frameCount)
    for pair in files.pairs { try addComment(to: folder.file(pair.partial)) }
    try files.publish(from: folder)
  }

  private func addComment(to file: String) throws(MediaError) {
    guard let metadata = settings.metadata else { return }
    do {
      switch container {
      case .png: try PNGComment.insert(metadata, into: file)
      case .gif: try GIFComment.append(metadata, to: file)
      case .mp4, .webm, .y4m: break
      }
    } catch {
      throw .cannotWrite(path: path, reason: "its metadata could not be added: \(error.localizedDescription)")
    }
  }

  private static func encoder(
    _ container: ClipFormat.Container, settings: ClipSettings, folder: PartialFolder, ffmpeg: FFmpeg?
  ) async throws(MediaError) -> any FrameEncoder {
    let files = ClipFiles(path: folder.target, container: container, frameCount: settings.frameCount)
    guard container != .y4m, let ffmpeg else {
      return try Y4MEncoder(file: folder.file(files.pattern), settings: settings, path: folder.target)
    }
    if let metadata = settings.metadata {
      let file = folder.file(EncoderArguments.metadataFile)
      guard FileManager.default.createFile(atPath: file, contents: Data(MetadataText.encode(metadata).utf8)) else {
        throw .cannotWrite(path: folder.target, reason: "its metadata could not be stored beside it")
      }
    }
    // In the names of a numbered set a percent sign stands for the number.
    let escaped = folder.path.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
    let output = (container == .png ? escaped : folder.path) + "/" + files.pattern
    let arguments = EncoderArguments(settings: settings, folder: folder).arguments(for: container, output: output)
    return try await FFmpegEncoder(ffmpeg, arguments: arguments, path: folder.target)
  }
}
