/// What of a clip is read, and how its frames come.
public struct ClipReadingOptions: Sendable, Equatable {
  /// The rate that the frames of a film are resampled to: repeated or left out, never mixed. The film's own frames unless
  /// given; pictures have no rate, and are taken to have this one.
  public var frameRate: FrameRate?
  /// The size that every frame is brought to; its own unless given.
  public var fitting: Fitting?
  /// Which frames come, counted after resampling.
  public var part: Part
  /// The most pixels that a frame may have.
  public var pixelLimit: Int

  /// A size, and what becomes of a frame of another shape. Frames are resized as Pillow's Lanczos does it, the same with
  /// every ffmpeg.
  public struct Fitting: Sendable, Equatable {
    /// Pixels.
    public let width, height: Int
    /// What becomes of a frame of another shape.
    public let shape: Shape

    /// How a frame comes to another shape.
    public enum Shape: Sendable, Equatable {
      /// Stretched or squeezed.
      case stretched
      /// Scaled until it covers the size, and cut evenly on both sides.
      case covering
    }

    /// Both sides must be positive.
    public init(width: Int, height: Int, shape: Shape = .covering) {
      precondition(width > 0 && height > 0, "Fitting: sides must be positive, not \(width)x\(height)")
      (self.width, self.height, self.shape) = (width, height, shape)
    }
  }

  /// Some of a clip's frames.
  public enum Part: Sendable, Equatable {
    /// Every frame.
    case all
    /// Those with these numbers, the first being 0.
    case range(Range<Int>)
    /// So many at the end. They are held in memory.
    case last(Int)
  }

  /// 8192 x 8192 pixels, twice what a film of 8K has.
  public static let defaultPixelLimit = 1 << 26

  /// Every frame as it is, unless told otherwise.
  public init(
    frameRate: FrameRate? = nil, fitting: Fitting? = nil, part: Part = .all,
    pixelLimit: Int = ClipReadingOptions.defaultPixelLimit
  ) {
    (self.frameRate, self.fitting, self.part, self.pixelLimit) = (frameRate, fitting, part, pixelLimit)
  }
}

/// What is known of a clip before its frames are read.
public struct ClipFacts: Sendable, Equatable {
  /// Of its frames as they lie in the file, upright.
  public let width, height: Int
  /// Of playback, the mean where it varies; `nil` for pictures, and for a single frame that tells no duration.
  public let frameRate: FrameRate?
  /// As the file lists them; `nil` where it has more than can be listed.
  public let frameCount: Int?
  /// Whether it is pictures rather than a film.
  public let isPictures: Bool
}

/// Reads a clip frame by frame, as 8-bit RGB: a film, a folder of pictures, a numbered set of them, or one picture.
///
/// A set is named as ``ClipTarget`` names one (clip.png for clip-0001.png and so on), by a pattern (`frames/%04d.png`), or
/// by its folder, whose pictures come in the order of their names, numbers as numbers.
///
/// Films are .mp4, .mov, .webm, .mkv, .gif, .y4m, .avi, MPEG and the like, decoded by an ffmpeg that is bounded in memory
/// and stopped when nothing comes of it for minutes. Colours come by the matrix and range that the film is tagged with, by
/// BT.601 where it is not. Memory does not grow with the clip. A film that is damaged or ends early is an error.
public final actor ClipReader {
  /// What the clip is.
  public nonisolated let facts: ClipFacts
  /// Of the frames that come.
  public nonisolated let width, height: Int
  /// Of the frames that come; `nil` where none is known.
  public nonisolated let frameRate: FrameRate?

  private let path: String
  private let options: ClipReadingOptions
  private let source: any FrameSource
  /// The first frame, which was read to know its size.
  private var first: RGBImage?
  private var count = 0

  /// Opens a clip, and decodes its first frame; with ``ClipReadingOptions/Part/last(_:)`` all of them.
  ///
  /// - Throws: `cannotReadClip`, `cannotRead` for a picture of a set, `badSettings` for a part or a rate that cannot be,
  ///   `ffmpegFailed` when ffmpeg cannot be started, `cancelled`.
  public init(path: String, ffmpeg: FFmpeg, options: ClipReadingOptions = .init()) async throws(MediaError) {
    try await self.init(path: path, ffmpeg: ffmpeg, options: options, patience: nil)
  }

  /// - Parameter patience: how long nothing may come of ffmpeg.
  init(path: String, ffmpeg: FFmpeg, options: ClipReadingOptions, patience: Duration?) async throws(MediaError) {
    try options.check()
    let opened = try await OpenedClip(path: path, ffmpeg: ffmpeg, options: options, patience: patience)
    guard let first = try await opened.source.next() else {
      throw .cannotReadClip(path: path, reason: options.missing(after: 0))
    }
    (self.path, self.options, source) = (path, options, opened.source)
    facts = ClipFacts(
      width: first.width, height: first.height, frameRate: opened.frameRate, frameCount: opened.frameCount,
      isPictures: opened.isPictures)
    (width, height) = options.fitting.map { ($0.width, $0.height) } ?? (first.width, first.height)
    frameRate = options.frameRate ?? opened.frameRate
    self.first = first
  }

  /// The next frame, or `nil` after the last.
  ///
  /// - Throws: `cannotReadClip` for a clip that is damaged, that ends before the part that was asked for, or whose frames
  ///   are not all of one size; `cannotRead`, `ffmpegFailed`, `cancelled`.
  public func next() async throws(MediaError) -> RGBImage? {
    guard let frame = try await unread() else {
      if let wanted = options.part.count, count < wanted {
        throw .cannotReadClip(path: path, reason: options.missing(after: count))
      }
      return nil
    }
    guard frame.width == facts.width, frame.height == facts.height else {
      let sizes = "\(frame.width)x\(frame.height), the first \(facts.width)x\(facts.height)"
      throw .cannotReadClip(path: path, reason: "its frames are not all of one size: frame \(count) is \(sizes)")
    }
    count += 1
    return options.fitting.map { frame.fitted(to: $0) } ?? frame
  }

  private func unread() async throws(MediaError) -> RGBImage? {
    if let first {
      self.first = nil
      return first
    }
    return try await source.next()
  }
}

/// The frames of a clip, all in memory.
///
/// - Throws: as ``ClipReader``; `cannotReadClip` for more than `limit` frames.
public func readClip(
  path: String, ffmpeg: FFmpeg, options: ClipReadingOptions = .init(), limit: Int = 1000
) async throws(MediaError) -> [RGBImage] {
  let reader = try await ClipReader(path: path, ffmpeg: ffmpeg, options: options)
  var frames: [RGBImage] = []
  while let frame = try await reader.next() {
    guard frames.count < limit else {
      throw .cannotReadClip(path: path, reason: "it has more than \(limit) frames, which cannot all be held")
    }
    frames.append(frame)
  }
  return frames
}

extension ClipReadingOptions {
  fileprivate func check() throws(MediaError) {
    let isPossible =
      switch part {
      case .all: true
      case .range(let range): range.lowerBound >= 0 && !range.isEmpty && range.upperBound <= 1 << 40
      case .last(let count): count > 0
      }
    guard isPossible else { throw .badSettings(reason: "there are no such frames in any clip: \(part)") }
    if let frameRate { _ = try ClipSettings(width: 1, height: 1, frameRate: frameRate, frameCount: 1) }
  }

  /// Why a clip of so few frames does not do.
  fileprivate func missing(after count: Int) -> String {
    switch part {
    case .all: "it holds no frames"
    case .range(let range): "it ends after frame \(range.lowerBound + count - 1), before frame \(range.upperBound - 1)"
    case .last(let wanted): "it has \(count) frames, fewer than the \(wanted) that are to be taken from its end"
    }
  }
}

extension ClipReadingOptions.Part {
  /// How many frames it has; `nil` where the clip decides.
  fileprivate var count: Int? {
    switch self {
    case .all: nil
    case .range(let range): range.count
    case .last(let count): count
    }
  }
}

extension RGBImage {
  fileprivate func fitted(to fitting: ClipReadingOptions.Fitting) -> RGBImage {
    let (width, height) = (fitting.width, fitting.height)
    if (width, height) == (self.width, self.height) { return self }
    guard fitting.shape == .covering else { return lanczosResized(width: width, height: height) }
    let isWide = self.width * height > width * self.height
    let scaled = isWide ? ((self.width * height) / self.height, height) : (width, (self.height * width) / self.width)
    return lanczosResized(width: max(scaled.0, width), height: max(scaled.1, height))
      .centerCropped(width: width, height: height)
  }
}
