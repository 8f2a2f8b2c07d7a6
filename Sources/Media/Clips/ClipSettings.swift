/// Frames per second as a fraction.
public struct FrameRate: Sendable, Hashable, ExpressibleByIntegerLiteral, CustomStringConvertible {
  /// Frames in ``denominator`` seconds.
  public let numerator: Int
  /// Seconds, 1 for whole rates.
  public let denominator: Int

  /// As given, not reduced or checked; `ClipSettings` refuses what is not above 0 and at most 1000 per second.
  public init(_ numerator: Int, over denominator: Int = 1) {
    self.numerator = numerator
    self.denominator = denominator
  }

  public init(integerLiteral value: Int) { self.init(value) }

  /// The rate in thousandths, or the exact NTSC fraction (such as 24000/1001 for 23.976) where one is that near.
  /// What is not a positive number becomes a rate that `ClipSettings` refuses.
  public init(_ value: Double) {
    guard value > 0, value < 1e6 else {
      self.init(0)
      return
    }
    let whole = value.rounded(.up)
    if abs(whole * 1000 / 1001 - value) < 5e-4, whole != value {
      self.init(Int(whole) * 1000, over: 1001)
    } else if value.rounded() == value {
      self.init(Int(value))
    } else {
      let thousandths = Int((value * 1000).rounded())
      let divisor = Self.commonDivisor(thousandths, 1000)
      self.init(thousandths / divisor, over: 1000 / divisor)
    }
  }

  private static func commonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? max(a, 1) : commonDivisor(b, a % b) }

  /// Frames per second as one number.
  public var value: Double { Double(numerator) / Double(denominator) }

  /// A whole number, a decimal one, which becomes an NTSC fraction where it is near one, or a fraction: 24, 29.97,
  /// 24000/1001. `nil` for anything else.
  public init?(parsing text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 2, let numerator = Int(parts[0]), let denominator = Int(parts[1]), denominator > 0 {
      self.init(numerator, over: denominator)
    } else if parts.count == 1, let whole = Int(text) {
      self.init(whole)
    } else if parts.count == 1, let value = Double(text), value.isFinite {
      self.init(value)
    } else {
      return nil
    }
  }

  public var description: String { denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)" }
}

/// What is known of a clip before its first frame.
public struct ClipSettings: Sendable, Equatable {
  /// Pixels.
  public let width: Int
  /// Pixels.
  public let height: Int
  /// Constant over the clip.
  public let frameRate: FrameRate
  /// A writer accepts exactly this many frames.
  public let frameCount: Int
  /// Kept in the clip's comment tag, where the format has one.
  public let metadata: String?

  /// - Throws: `badSettings` when a number is not positive, or too large for any of the formats.
  public init(
    width: Int, height: Int, frameRate: FrameRate, frameCount: Int, metadata: String? = nil
  ) throws(MediaError) {
    guard (1...16_384).contains(width), (1...16_384).contains(height) else {
      throw .badSettings(reason: "a clip cannot be \(width)x\(height): sides go from 1 to 16384")
    }
    guard (1...1_000_000).contains(frameCount) else {
      throw .badSettings(reason: "a clip cannot have \(frameCount) frames: 1 to 1000000 can be written")
    }
    let rates = 1...1_000_000
    guard rates.contains(frameRate.numerator), rates.contains(frameRate.denominator),
      frameRate.numerator <= 1000 * frameRate.denominator
    else {
      throw .badSettings(reason: "a clip cannot run at \(frameRate) frames per second: above 0, up to 1000")
    }
    self.width = width
    self.height = height
    self.frameRate = frameRate
    self.frameCount = frameCount
    self.metadata = metadata
  }
}
