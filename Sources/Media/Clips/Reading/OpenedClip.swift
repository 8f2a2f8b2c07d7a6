import Files

/// Gives frames one after the other.
protocol FrameSource: Sendable {
  /// The next frame, or `nil` after the last.
  func next() async throws(MediaError) -> RGBImage?
}

/// A clip whose frames can be asked for, and what is known of it without them.
struct OpenedClip {
  let source: any FrameSource
  let frameRate: FrameRate?
  let frameCount: Int?
  let isPictures: Bool

  /// - Parameter patience: how long nothing may come of ffmpeg; by the size of the frames unless given.
  init(path: String, ffmpeg: FFmpeg, options: ClipReadingOptions, patience: Duration?) async throws(MediaError) {
    switch try ClipPlace(path) {
    case .pictures(let pictures):
      source = PictureSource(
        try options.part.of(pictures, path: path), ffmpeg: ffmpeg, pixelLimit: options.pixelLimit)
      (frameRate, frameCount, isPictures) = (nil, pictures.count, true)
    case .film(let film):
      let listing = try await FilmListing(film, ffmpeg: ffmpeg, pixelLimit: options.pixelLimit)
      let request = FilmRequest(path: film, listing: listing, options: options)
      let decoder = try FFmpegDecoder(
        ffmpeg, arguments: request.arguments, bounds: request.bounds, pixelLimit: options.pixelLimit,
        patience: patience ?? .seconds(request.bounds.seconds), path: film)
      (frameRate, frameCount, isPictures) = (listing.frameRate, listing.frameCount, false)
      if case .last(let count) = options.part {
        source = try await LastFrames(count, of: decoder)
      } else {
        source = decoder
      }
    }
  }
}

/// How ffmpeg is asked for the frames of a film.
struct FilmRequest {
  let path: String
  let listing: FilmListing
  let options: ClipReadingOptions

  /// Nothing but a film's own file is opened: no playlists, which name others.
  static func input(_ path: String) -> [String] {
    ["-nostdin", "-hide_banner", "-loglevel", "error", "-xerror", "-nostats", "-protocol_whitelist", "file"]
      + ["-format_whitelist", "mov,matroska,yuv4mpegpipe,gif,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,nut,ivf"]
  }

  var arguments: [String] {
    // Decoders round sides up to whole blocks.
    let pixels = min((listing.width + 256) * (listing.height + 256), Int(Int32.max))
    return Self.input(path) + ["-max_pixels", "\(pixels)", "-threads", "2", "-i", "file:" + path]
      + ["-map", "0:V:0", "-fps_mode", "passthrough", "-filter_threads", "1", "-vf", filters.joined(separator: ",")]
      + ["-c:v", "ppm", "-f", "image2pipe", "pipe:1"]
  }

  private var filters: [String] {
    var filters: [String] = []
    if let rate = options.frameRate { filters.append("fps=fps=\(rate.numerator)/\(rate.denominator)") }
    if case .range(let range) = options.part {
      filters.append("trim=start_frame=\(range.lowerBound):end_frame=\(range.upperBound)")
    }
    return filters + ["scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp+bicubic+bitexact", "format=rgb24"]
  }

  /// Decoders keep up to 16 frames that others refer to, and each thread some more.
  var bounds: DecodeBounds {
    let area = listing.width * listing.height
    return DecodeBounds(kibibytes: (2 << 30 + 160 * area) >> 10, seconds: 60 + area / 500_000)
  }
}

/// The last frames of a source, in memory.
private actor LastFrames: FrameSource {
  private var frames: ArraySlice<RGBImage>

  init(_ count: Int, of source: any FrameSource) async throws(MediaError) {
    var frames: ArraySlice<RGBImage> = []
    while let frame = try await source.next() {
      frames.append(frame)
      if frames.count > count { frames.removeFirst() }
    }
    self.frames = frames
  }

  func next() -> RGBImage? { frames.popFirst() }
}

/// Pictures in files, a few of which are read ahead.
private actor PictureSource: FrameSource {
  private typealias Reading = Task<Result<RGBImage, MediaError>, Never>

  private var paths: ArraySlice<String>
  private var readings: ArraySlice<Reading> = []
  private let ffmpeg: FFmpeg
  private let pixelLimit: Int

  init(_ paths: [String], ffmpeg: FFmpeg, pixelLimit: Int) {
    (self.paths, self.ffmpeg, self.pixelLimit) = (paths[...], ffmpeg, pixelLimit)
  }

  deinit { for reading in readings { reading.cancel() } }

  func next() async throws(MediaError) -> RGBImage? {
    while readings.count < 3, let path = paths.popFirst() { readings.append(reading(path)) }
    guard let reading = readings.popFirst() else { return nil }
    let result = await withTaskCancellationHandler {
      await reading.value
    } onCancel: {
      reading.cancel()
    }
    return try result.get()
  }

  private func reading(_ path: String) -> Reading {
    let (ffmpeg, pixelLimit) = (ffmpeg, pixelLimit)
    return Task {
      do throws(MediaError) {
        return .success(try await readImage(path: path, ffmpeg: ffmpeg, pixelLimit: pixelLimit))
      } catch {
        return .failure(error)
      }
    }
  }
}

extension ClipReadingOptions.Part {
  fileprivate func of(_ pictures: [String], path: String) throws(MediaError) -> [String] {
    let range: Range<Int> =
      switch self {
      case .all: pictures.indices
      case .range(let range): range
      case .last(let count): pictures.count - count..<pictures.count
      }
    guard range.lowerBound >= 0, range.upperBound <= pictures.count else {
      throw .cannotReadClip(path: path, reason: "it has \(pictures.count) pictures, too few for \(self)")
    }
    return Array(pictures[range])
  }
}
