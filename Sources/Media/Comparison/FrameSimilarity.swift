import Foundation

/// How alike two pictures of one size are.
public struct FrameSimilarity: Sendable, Hashable {
  /// The mean of the squared differences of all red, green and blue values, 0...65 025; 0 for equal pictures.
  public let squaredError: Double
  /// The mean structural similarity of their luma (Wang et al. 2004: Gaussian window 11x11 with deviation 1.5, BT.601
  /// luma, windows inside of the picture), at most 1, which equal pictures have; `nil` for sides under 11 pixels.
  public let ssim: Double?

  /// Compares two pictures, which must be of one size.
  public init(_ one: RGBImage, _ other: RGBImage) {
    precondition(
      (one.width, one.height) == (other.width, other.height),
      "FrameSimilarity: \(one.width)x\(one.height) and \(other.width)x\(other.height) cannot be compared")
    squaredError = Self.squaredError(one.pixels, other.pixels)
    let hasWindow = min(one.width, one.height) >= StructuralSimilarity.window
    if !hasWindow {
      ssim = nil
    } else if squaredError == 0 {
      ssim = 1
    } else {
      ssim = StructuralSimilarity(one.luma, other.luma, width: one.width, height: one.height).mean
    }
  }

  /// Whether the pictures are equal, pixel by pixel.
  public var isIdentical: Bool { squaredError == 0 }

  /// The peak signal-to-noise ratio in decibels, over red, green and blue together; `nil` for equal pictures, whose ratio
  /// is infinite.
  public var psnr: Double? { Self.psnr(squaredError) }

  static func psnr(_ squaredError: Double) -> Double? {
    squaredError == 0 ? nil : 10 * log10(255 * 255 / squaredError)
  }

  private static func squaredError(_ one: [UInt8], _ other: [UInt8]) -> Double {
    var sum = 0
    for i in 0..<min(one.count, other.count) {
      let difference = Int32(one[i]) - Int32(other[i])
      sum += Int(difference * difference)
    }
    return Double(sum) / Double(one.count)
  }
}

/// How alike two clips are, frame by frame and over all.
public struct ClipSimilarity: Sendable, Hashable {
  /// In the clips' order; at least one.
  public let frames: [FrameSimilarity]

  /// There must be at least one frame.
  public init(_ frames: [FrameSimilarity]) {
    precondition(!frames.isEmpty, "ClipSimilarity: there are no frames")
    self.frames = frames
  }

  /// Whether all frames are equal, pixel by pixel.
  public var isIdentical: Bool { frames.allSatisfy(\.isIdentical) }

  /// The peak signal-to-noise ratio of all pixels of all frames together, in decibels; `nil` for equal clips.
  public var psnr: Double? { FrameSimilarity.psnr(frames.map(\.squaredError).reduce(0, +) / Double(frames.count)) }

  /// The mean of the frames' structural similarities; `nil` for sides under 11 pixels.
  public var ssim: Double? {
    let values = frames.compactMap(\.ssim)
    return values.count == frames.count ? values.reduce(0, +) / Double(values.count) : nil
  }

  /// The frame with the largest squared error, the first of several.
  public var worstFrame: Int { frames.indices.max { frames[$0].squaredError < frames[$1].squaredError } ?? 0 }
}
