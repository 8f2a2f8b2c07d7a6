/// Two clips that are read side by side, a pair of frames at a time.
public struct ClipComparison: Sendable {
  private let one, other: ClipReader
  private let names: (String, String)
  private let limit: Int?
  /// How many pairs are compared at once.
  private let tasks: Int

  /// Of both clips, in pixels.
  public let width, height: Int
  /// Of playback; 24 where both are pictures.
  public let frameRate: FrameRate
  /// How many pairs there will be, as the clips list them; `nil` where they do not.
  public let frameCount: Int?

  /// Opens both clips.
  ///
  /// - Parameters:
  ///   - frames: how many frames of each are compared; all, of clips that must have as many, unless given.
  ///   - tasks: how many pairs are compared at once.
  /// - Throws: `badSettings` for clips of different sizes, rates or lengths, which says both; as ``ClipReader``.
  public init(
    _ one: String, _ other: String, ffmpeg: FFmpeg, frames: Int? = nil, tasks: Int = 2
  ) async throws(MediaError) {
    let options = ClipReadingOptions(part: frames.map { .range(0..<$0) } ?? .all)
    self.one = try await ClipReader(path: one, ffmpeg: ffmpeg, options: options)
    self.other = try await ClipReader(path: other, ffmpeg: ffmpeg, options: options)
    (names, limit, self.tasks) = ((one, other), frames, max(tasks, 1))
    (width, height) = (self.one.width, self.one.height)
    frameRate = self.one.frameRate ?? self.other.frameRate ?? 24
    frameCount = frames ?? self.one.facts.frameCount
    try check(self.one, self.other)
  }

  /// What is known of both clips.
  public var facts: (ClipFacts, ClipFacts) { (one.facts, other.facts) }

  private func check(_ one: ClipReader, _ other: ClipReader) throws(MediaError) {
    guard (one.width, one.height) == (other.width, other.height) else {
      throw different("\(one.width)x\(one.height)", "\(other.width)x\(other.height)")
    }
    // Rounded times do not tell a rate to the last digit.
    if let rate = one.frameRate, let otherRate = other.frameRate, abs(rate.value / otherRate.value - 1) > 0.02 {
      throw different("at \(rate) frames per second", "at \(otherRate)")
    }
    guard limit == nil, let count = one.facts.frameCount, let otherCount = other.facts.frameCount else { return }
    guard count == otherCount else { throw different("\(count) frames long", "\(otherCount)") }
  }

  private func different(_ one: String, _ other: String) -> MediaError {
    .badSettings(reason: "the clips cannot be compared: '\(names.0)' is \(one), '\(names.1)' is \(other)")
  }

  /// Reads and compares all pairs.
  ///
  /// - Parameter onPair: is given each pair in order.
  /// - Throws: as ``ClipReader``, `badSettings` when one clip ends before the other, and what `onPair` throws.
  public func run(
    onPair: (RGBImage, RGBImage) async throws -> Void = { _, _ in }
  ) async throws -> ClipSimilarity {
    try await withThrowingTaskGroup(of: (Int, FrameSimilarity).self) { group in
      var results: [FrameSimilarity?] = []
      func take(_ result: (Int, FrameSimilarity)?) { if let result { results[result.0] = result.1 } }
      while let (a, b) = try await pair(after: results.count) {
        if results.count >= tasks { take(try await group.next()) }
        let number = results.count
        results.append(nil)
        group.addTask { (number, FrameSimilarity(a, b)) }
        try await onPair(a, b)
      }
      while let result = try await group.next() { take(result) }
      return ClipSimilarity(results.compactMap { $0 })
    }
  }

  private func pair(after count: Int) async throws(MediaError) -> (RGBImage, RGBImage)? {
    switch (try await one.next(), try await other.next()) {
    case (let a?, let b?): return (a, b)
    case (nil, nil): return nil
    case (nil, _): throw different("\(count) frames long", "longer")
    case (_, nil): throw different("longer", "\(count) frames long")
    }
  }
}
