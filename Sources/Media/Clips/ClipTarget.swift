import Files

/// Where a clip goes: files under names that were looked at beforehand, or a stream that somebody reads.
public struct ClipTarget: Sendable {
  /// What the name ends in, or what was asked for.
  public let format: ClipFormat
  /// As it was given; `-` for a stream.
  public let name: String
  /// The descriptor that a stream is written to.
  let stream: Int32?
  private let file: OutputTarget?

  /// A clip in a file, or in a numbered set of pictures; nothing is looked at yet but links.
  ///
  /// - Throws: `unknownFormat`, `cannotWrite`.
  public init(path: String) throws(MediaError) {
    format = try ClipFormat(path: path)
    name = path
    stream = nil
    do { file = try OutputTarget(path) } catch { throw .cannotWrite(path: path, reason: error.description) }
  }

  /// A clip that is written to an open descriptor while it is made: .y4m, or .mp4 in fragments.
  ///
  /// - Throws: `unknownFormat` for what cannot be read before it is complete.
  public init(stream: Int32, as format: ClipFormat) throws(MediaError) {
    guard format == .y4m || format == .mp4 else {
      throw .unknownFormat(path: "-", known: [".y4m", ".mp4"])
    }
    (self.format, self.stream, name, file) = (format, stream, "-", nil)
  }

  /// False for .y4m alone.
  public var needsFFmpeg: Bool { format != .y4m }

  /// Where the clip's files will lie, links followed; none for a stream.
  public func paths(frameCount: Int) -> [String] {
    file == nil ? [] : files(frameCount: frameCount).finals
  }

  /// The pictures of an older, longer set that the clip will take away.
  public func removedPaths(frameCount: Int) -> [String] {
    let files = files(frameCount: frameCount)
    return files.extras.map { Paths.join(Paths.folder(of: files.path), $0) }
  }

  /// Looks at the folder, and makes and removes a hidden folder there; of a stream, whether anybody is at its other end.
  ///
  /// - Throws: `cannotWrite`.
  public func probe() throws(MediaError) {
    if let stream, let reason = Descriptor.refusal(of: stream) { throw .cannotWrite(path: name, reason: reason) }
    guard let file else { return }
    do throws(OutputError) {
      if format != .png { try file.check() }
      try OutputFolder(beside: file.path).remove()
    } catch {
      throw .cannotWrite(path: name, reason: error.description)
    }
  }

  /// Looks at everything that could keep the finished clip from its names.
  ///
  /// - Throws: `cannotWrite`; `badSettings` for a rate that the format does not know.
  public func check(frameCount: Int, frameRate: FrameRate) throws(MediaError) {
    // A GIF counts hundredths of a second, and players take a single one for a tenth.
    guard format != .gif || frameRate.numerator <= 50 * frameRate.denominator else {
      throw .badSettings(reason: "a .gif shows at most 50 frames per second, not \(frameRate): choose .mp4 or .webm")
    }
    guard let file else { return }
    let files = files(frameCount: frameCount)
    do throws(OutputError) {
      guard files.isSet else { return try file.check() }
      for path in files.finals + removedPaths(frameCount: frameCount) { try OutputTarget(entry: path).check() }
    } catch {
      throw .cannotWrite(path: name, reason: error.description)
    }
  }

  func files(frameCount: Int) -> ClipFiles {
    // A numbered set lies beside the name that was given, not beside what a link of that name leads to.
    let isSet = format == .png && frameCount > 1
    return ClipFiles(path: isSet ? name : file?.path ?? name, format: format, frameCount: frameCount)
  }
}

/// What a clip is written as; raw values are file name extensions.
public enum ClipFormat: String, Sendable, CaseIterable {
  /// H.264, 4:2:0, BT.709.
  case mp4
  /// VP9, 4:2:0, BT.709.
  case webm
  /// A palette of at most 256 colours over the whole clip; it loops.
  case gif
  /// One still, or a numbered set NAME-0001.png, NAME-0002.png and so on.
  case png
  /// Uncompressed 4:4:4, written without ffmpeg.
  case y4m

  /// Reads the name's extension, upper or lower case.
  ///
  /// - Throws: `unknownFormat`, which lists the known ones.
  public init(path: String) throws(MediaError) {
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count > 1, parts.dropLast().contains(where: { !$0.isEmpty }), let last = parts.last,
      let format = ClipFormat(rawValue: last.lowercased())
    else {
      throw .unknownFormat(path: path, known: Self.allCases.map { "." + $0.rawValue })
    }
    self = format
  }
}
