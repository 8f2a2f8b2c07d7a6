import Foundation
import Media

/// How alike two clips are, for people and as JSON.
struct ComparisonReport: Encodable {
  /// The clips, as they were named.
  let reference, other: String
  /// In pixels.
  let width, height: Int
  /// Whether all frames are equal, pixel by pixel.
  let identical: Bool
  /// In decibels, of all frames together; `nil` for identical clips.
  let psnr: Double?
  /// The mean of the frames'; `nil` for sides under 11 pixels.
  let ssim: Double?
  /// The mean of the frames'; `nil` where ffmpeg cannot measure it.
  let vmaf: Double?
  /// The number of the frame with the lowest PSNR, the first being 0.
  let worstFrame: Int
  let frames: [Frame]

  /// The measures of one frame.
  struct Frame: Encodable {
    /// The first is 0.
    let frame: Int
    let identical: Bool
    /// `nil` for identical frames.
    let psnr: Double?
    let ssim, vmaf: Double?
  }

  /// - Parameter vmaf: of every frame, where it was measured.
  init(_ comparison: ClipComparison, _ similarity: ClipSimilarity, vmaf: [Double]?, of names: (String, String)) {
    (reference, other) = names
    (width, height) = (comparison.width, comparison.height)
    (identical, psnr, ssim) = (similarity.isIdentical, similarity.psnr, similarity.ssim)
    let measured = vmaf.flatMap { $0.count == similarity.frames.count ? $0 : nil }
    self.vmaf = measured.map { $0.reduce(0, +) / Double($0.count) }
    worstFrame = similarity.worstFrame
    frames = similarity.frames.enumerated().map { i, frame in
      Frame(frame: i, identical: frame.isIdentical, psnr: frame.psnr, ssim: frame.ssim, vmaf: measured?[i])
    }
  }

  /// For people.
  var lines: [String] {
    let worst = frames[worstFrame]
    var lines = ["clips    \(reference), \(other): \(Format.count(frames.count, "frame")) of \(width)x\(height)"]
    if identical {
      lines.append("psnr     infinite: the clips are identical, pixel by pixel")
    } else {
      let equal = frames.count { $0.identical }
      let others = equal == 0 ? "" : "; \(Format.count(equal, "frame")) identical"
      lines.append(
        "psnr     \(Self.psnr(psnr)) over all, \(Self.psnr(worst.psnr)) in the worst, frame \(worstFrame)\(others)")
    }
    if let ssim {
      let low = frames.compactMap { frame in frame.ssim.map { ($0, frame.frame) } }.min { $0.0 < $1.0 }
      lines.append("ssim     " + Self.summary(mean: ssim, low: low, digits: 4))
    } else {
      lines.append("ssim     not measured: its window is 11 pixels wide")
    }
    if let vmaf {
      let low = frames.compactMap { frame in frame.vmaf.map { ($0, frame.frame) } }.min { $0.0 < $1.0 }
      lines.append("vmaf     " + Self.summary(mean: vmaf, low: low, digits: 1))
    } else {
      lines.append("vmaf     not measured: this ffmpeg was built without libvmaf")
    }
    return lines
  }

  private static func psnr(_ value: Double?) -> String { value.map { Format.fixed($0, 2) + " dB" } ?? "infinite" }

  private static func summary(mean: Double, low: (Double, Int)?, digits: Int) -> String {
    Format.fixed(mean, digits) + " on average"
      + (low.map { ", \(Format.fixed($0.0, digits)) in the worst, frame \($0.1)" } ?? "")
  }
}
