import Files

/// What a film's container says of its frames: read by ffmpeg without decoding any.
struct FilmListing: Equatable {
  /// Of the frames as they are coded, before a turn.
  let width, height: Int
  let frameRate: FrameRate?
  /// `nil` where there are more than are listed here.
  let frameCount: Int?
  /// Bytes of the first frame as it is coded.
  let firstBytes: Int

  /// Bytes that are read of the list: of some 200 000 frames.
  private static let limit = 1 << 24

  /// - Throws: `cannotReadClip`, `ffmpegFailed`, `cancelled`.
  init(_ path: String, ffmpeg: FFmpeg, pixelLimit: Int) async throws(MediaError) {
    let arguments = FilmRequest.input(path) + ["-i", "file:" + path, "-map", "0:V:0", "-c", "copy"]
    let result = try await ffmpeg.collect(
      arguments + ["-f", "framecrc", "pipe:1"], limit: Self.limit, subject: path, seconds: 300)
    let words = result.log.lines.joined(separator: "; ")
    guard result.succeeded, words.isEmpty else {
      throw .cannotReadClip(path: path, reason: Self.reason(words, result.status))
    }
    guard let listing = FilmListing(result.output, isWhole: result.output.count < Self.limit - (1 << 16)) else {
      throw .cannotReadClip(path: path, reason: "it holds no frames")
    }
    guard listing.width <= pixelLimit / listing.height else {
      throw .cannotReadClip(
        path: path,
        reason: "its frames are \(listing.width)x\(listing.height), more than \(pixelLimit) pixels: scale it down first"
      )
    }
    guard FilmEnd(path, frameBytes: listing.firstBytes).isThere else {
      throw .cannotReadClip(path: path, reason: "it ends early: its last frame, or its end, is not there")
    }
    self = listing
  }

  private static func reason(_ words: String, _ status: String) -> String {
    if words.contains("matches no streams") { return "it holds no pictures, only sound or the like" }
    return "ffmpeg finds no intact film in it (\(words.isEmpty ? status : words))"
  }

  /// Reads ffmpeg's list: lines `#name 0: value`, and one for each frame with its times in units of `#tb`.
  ///
  /// - Returns: `nil` where no frame or no size is in it.
  init?(_ text: [UInt8], isWhole: Bool) {
    var (size, unit): ((Int, Int)?, (Int, Int)?)
    var times: [(time: Int, duration: Int)] = []
    var bytes: Int?
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
      if line.hasPrefix("#dimensions 0: ") {
        size = Self.pair(line.dropFirst(15), "x")
      } else if line.hasPrefix("#tb 0: ") {
        unit = Self.pair(line.dropFirst(7), "/")
      } else if !line.hasPrefix("#") {
        let fields = line.split(separator: ",").map { Int($0.drop { $0 == " " }) }
        guard fields.count >= 5, let time = fields[2], let duration = fields[3] else { continue }
        bytes = bytes ?? fields[4]
        times.append((time, duration))
      }
    }
    guard let size, size.0 > 0, size.1 > 0, size.0 <= 1 << 20, size.1 <= 1 << 20, !times.isEmpty else { return nil }
    (width, height) = size
    firstBytes = max(bytes ?? 0, 0)
    frameCount = isWhole ? times.count : nil
    frameRate = unit.flatMap { FrameRate(times: times, unit: $0) }
  }

  private static func pair(_ text: Substring, _ separator: Character) -> (Int, Int)? {
    let parts = text.split(separator: separator, omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let first = parts[0], let second = parts[1] else { return nil }
    return (first, second)
  }
}

/// Whether a film has its end, of those whose end ffmpeg does not miss.
private struct FilmEnd {
  let isThere: Bool

  /// - Parameter frameBytes: of a frame, where all take as many.
  init(_ path: String, frameBytes: Int) {
    guard let source = FileSource(path: path), let size = FileStatus(path: path)?.size else {
      isThere = false
      return
    }
    let start = source.bytes(at: 0, count: 4096)
    if StillFormat(start: start) == .gif {
      isThere = source.bytes(at: size - 1, count: 1) == [0x3B]
    } else if ByteReader(bytes: start).starts(with: "YUV4MPEG2 "), let line = start.firstIndex(of: UInt8(ascii: "\n")),
      ByteReader(bytes: start).starts(with: "FRAME\n", at: line + 1), frameBytes > 0
    {
      isThere = (size - line - 1) % (6 + frameBytes) == 0
    } else {
      isThere = true
    }
  }
}

extension FrameRate {
  /// The rate of frames that are shown at these times, in units of so many seconds.
  ///
  /// Where the unit is coarse (WebM has milliseconds, GIF hundredths) times are rounded to it: a whole rate, or one of
  /// NTSC's, is taken where the rounding allows it.
  ///
  /// - Returns: `nil` where times do not tell it.
  init?(times: [(time: Int, duration: Int)], unit: (numerator: Int, denominator: Int)) {
    let sorted = times.map(\.time).sorted()
    let steps = max(sorted.count - 1, 1)
    guard unit.numerator > 0, unit.denominator > 0, let first = sorted.first, let last = sorted.last else { return nil }
    let (distance, overflow) = last.subtractingReportingOverflow(first)
    let span = sorted.count == 1 ? times[0].duration : distance
    guard !overflow, span > 0, span <= 1 << 50 else { return nil }
    let second = Double(unit.denominator) / Double(unit.numerator)
    let rate = Double(steps) * second / Double(span)
    guard rate.isFinite, rate > 0, rate <= 1000 else { return nil }
    let isEven = zip(sorted, sorted.dropFirst()).allSatisfy { ($1 - $0) * steps == span }
    if isEven, span == steps || span / steps >= 500,
      let exact = FrameRate(reducing: unit.denominator, over: unit.numerator * (span / steps))
    {
      self = exact
      return
    }
    let possible = Double(steps) * second / Double(span + 1)...Double(steps) * second / max(Double(span - 1), 0.5)
    let whole = rate.rounded()
    let candidates = [whole, whole * 1000 / 1001, (rate + 0.5).rounded(.down) * 1000 / 1001].filter { $0 > 0 }
    self.init(candidates.first { possible.contains($0) } ?? rate)
  }

  /// - Returns: `nil` where the fraction has larger numbers than a clip may have.
  private init?(reducing numerator: Int, over denominator: Int) {
    var (a, b) = (numerator, denominator)
    while b != 0 { (a, b) = (b, a % b) }
    guard a > 0, numerator / a <= 1_000_000, denominator / a <= 1_000_000 else { return nil }
    self.init(numerator / a, over: denominator / a)
  }
}
