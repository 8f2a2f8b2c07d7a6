import Files
import Foundation

/// The hidden folder in which a clip is made, and what is done there: the trial, the encoder, the reading back, the
/// comment, and the move to its place.
struct ClipWorkshop: Sendable {
  let target: ClipTarget
  let settings: ClipSettings
  let ffmpeg: FFmpeg?
  /// None for .y4m into a stream.
  let folder: OutputFolder?

  /// Less free space than this cannot end well.
  private static let leastSpace = 1 << 20

  init(target: ClipTarget, settings: ClipSettings, ffmpeg: FFmpeg?) throws(MediaError) {
    if target.needsFFmpeg, ffmpeg == nil { throw .ffmpegMissing(name: "ffmpeg", searched: []) }
    (self.target, self.settings, self.ffmpeg) = (target, settings, ffmpeg)
    guard target.stream == nil || target.needsFFmpeg else {
      folder = nil
      return
    }
    let place =
      target.paths(frameCount: settings.frameCount).first
      ?? Paths.join(FileManager.default.temporaryDirectory.path, "wan")
    try Self.checkSpace(target, settings, Paths.folder(of: place))
    do { folder = try OutputFolder(beside: place) } catch {
      let hint = target.stream == nil ? "" : " (the folder of temporary files, TMPDIR)"
      throw .cannotWrite(path: target.name, reason: error.description + hint)
    }
  }

  private static func checkSpace(
    _ target: ClipTarget, _ settings: ClipSettings, _ folder: String
  ) throws(MediaError) {
    let known = target.format == .y4m ? Y4MEncoder.byteCount(settings) : 0
    let space = try? FileManager.default.attributesOfFileSystem(forPath: folder)[.systemFreeSize] as? NSNumber
    let needed = max(known, leastSpace)
    if let free = space?.intValue, free < needed {
      throw .cannotWrite(
        path: target.name,
        reason: "the disk of '\(folder)' has \(free >> 20) MiB left, \((needed + (1 << 20) - 1) >> 20) MiB are needed")
    }
  }

  private var files: ClipFiles { target.files(frameCount: settings.frameCount) }

  func tryEncoder() async throws(MediaError) {
    guard target.needsFFmpeg, let ffmpeg, let folder else { return try await begin() }
    let trial = EncoderTrial(ffmpeg: ffmpeg, settings: settings, format: target.format, folder: folder)
    try await trial.run(path: target.name)
  }

  /// Sends a stream's header before the work that its frames take: a reader that takes none is known then.
  private func begin() async throws(MediaError) {
    guard let stream = target.stream else { return }
    let code: Int32?
    do { code = try await PipeWriter(stream: stream).write(Y4MEncoder.header(settings)) } catch {
      throw .cancelled(path: target.name)
    }
    if let code { throw .cannotWrite(path: target.name, reason: systemReason(code)) }
  }

  func makeEncoder() throws(MediaError) -> any FrameEncoder {
    guard target.needsFFmpeg, let ffmpeg, let folder else {
      let header = target.stream == nil ? Y4MEncoder.header(settings) : nil
      return Y4MEncoder(try y4mSink(), header: header, path: target.name)
    }
    let metadata = try writeMetadata(folder)
    let arguments = EncoderArguments(settings: settings, metadataFile: metadata, isStream: target.stream != nil)
    let output = target.stream == nil ? "file:" + files.pattern(in: folder) : "pipe:1"
    return try FFmpegEncoder(
      ffmpeg, arguments: arguments.arguments(for: target.format, output: output), output: target.stream,
      path: target.name)
  }

  private func y4mSink() throws(MediaError) -> Y4MEncoder.Sink {
    if let stream = target.stream { return .stream(PipeWriter(stream: stream)) }
    guard let folder else { throw .cannotWrite(path: target.name, reason: "it has no folder") }
    do { return .file(try OutputStreamFile(path: files.pattern(in: folder))) } catch {
      throw .cannotWrite(path: target.name, reason: error.description)
    }
  }

  /// The comment in ffmpeg's form, as a file: command lines are bounded.
  private func writeMetadata(_ folder: OutputFolder) throws(MediaError) -> String? {
    guard let metadata = settings.metadata else { return nil }
    do {
      let name = "metadata.txt"
      let file = try OutputStreamFile(path: folder.file(name))
      try file.write(MetadataText.encode(metadata).span)
      try file.close()
      return folder.file(name)
    } catch {
      throw .cannotWrite(path: target.name, reason: "its metadata could not be stored beside it: \(error)")
    }
  }

  /// Reads what the encoder left.
  func check() async throws(MediaError) {
    guard target.stream == nil, let folder else { return }
    guard target.needsFFmpeg, let ffmpeg else {
      let size = FileStatus(path: files.pattern(in: folder))?.size ?? 0
      guard size > Y4MEncoder.byteCount(settings) else {
        throw .cannotWrite(path: target.name, reason: "the disk kept \(size) bytes of it")
      }
      return
    }
    let check = ClipCheck(ffmpeg: ffmpeg, path: target.name)
    try await check.check(files.pattern(in: folder), is: target.format, settings: settings)
  }

  /// Gives the files their names.
  ///
  /// - Returns: what went wrong beside that.
  func publish() throws(MediaError) -> [String] {
    guard target.stream == nil, let folder else { return [] }
    let notices = addComments(folder)
    do throws(OutputError) {
      if files.isSet {
        try FileSet(folder, target: files.path).publish(files.pairs) { files.extras }
      } else if let pair = files.pairs.first {
        try folder.publish(pair.partial, as: files.path)
      }
    } catch {
      throw .keptElsewhere(path: target.name, at: keep(folder), reason: error.description)
    }
    return notices
  }

  /// Adds the comment where ffmpeg does not; a clip without it is better than none.
  private func addComments(_ folder: OutputFolder) -> [String] {
    guard let metadata = settings.metadata, target.format == .png || target.format == .gif else { return [] }
    do throws(OutputError) {
      for pair in files.pairs {
        let image = try folder.bytes(of: pair.partial)
        let marked =
          target.format == .png ? PNGComment.adding(metadata, to: image) : GIFComment.adding(metadata, to: image)
        guard let marked else { throw OutputError("its end is not where it should be") }
        try folder.replace(pair.partial, with: marked)
      }
      return []
    } catch {
      return ["'\(target.name)' is there without its prompt and settings: \(error)"]
    }
  }

  /// Moves what cannot have its name to one that is free beside it, or leaves it in its hidden folder.
  ///
  /// - Returns: where it is.
  private func keep(_ folder: OutputFolder) -> String {
    let parts = Paths.parts(of: Paths.name(of: files.path))
    let parent = Paths.folder(of: files.path)
    let stem = Paths.prefix(of: parts.stem, bytes: 100) + "-kept"
    for number in 1...99 {
      let name = stem + (number == 1 ? "" : "-\(number)") + (files.isSet ? "" : parts.ending)
      let place = Paths.join(parent, name)
      if FileStatus(path: place, followingLinks: false) != nil { continue }
      let source =
        files.isSet
        ? FileSet(folder, target: files.path).waitingFolder(of: files.frameCount) : folder.file(files.pairs[0].partial)
      if let source, folder.hand(over: source, as: place) { return place }
      break
    }
    return folder.leave()
  }
}
