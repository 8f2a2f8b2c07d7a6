import Foundation

// Lanczos resampling with antialiasing, in the 8-bit fixed-point arithmetic of Pillow's `Image.resize`
// (src/libImaging/Resample.c): equal to it byte for byte.

extension RGBImage {
  /// The image at another size by Lanczos-3, widened by the scale when shrinking.
  ///
  /// Columns first, then rows; the other way round where rows get fewer and columns more, as Pillow has it since version
  /// 13: what lies between the two passes is rounded, so that their order shows in single bytes.
  public func lanczosResized(width: Int, height: Int) -> RGBImage {
    precondition(width > 0 && height > 0, "RGBImage: cannot resize to \(width)x\(height)")
    let columns = { (image: RGBImage) in
      width == self.width ? image : image.resampledColumns(LanczosWeights(from: self.width, to: width))
    }
    let rows = { (image: RGBImage) in
      height == self.height ? image : image.resampledRows(LanczosWeights(from: self.height, to: height))
    }
    return height < self.height && width > self.width ? columns(rows(self)) : rows(columns(self))
  }

  private func resampledColumns(_ weights: LanczosWeights) -> RGBImage {
    let outWidth = weights.starts.count
    var out = [UInt8](repeating: 0, count: outWidth * height * 3)
    for y in 0..<height {
      for x in 0..<outWidth {
        let source = (y * width + weights.starts[x]) * 3
        let taps = weights.taps(x)
        var (red, green, blue) = (LanczosWeights.half, LanczosWeights.half, LanczosWeights.half)
        for k in 0..<taps.count {
          let weight = weights.values[taps.first + k]
          red += Int(pixels[source + 3 * k]) * weight
          green += Int(pixels[source + 3 * k + 1]) * weight
          blue += Int(pixels[source + 3 * k + 2]) * weight
        }
        let target = (y * outWidth + x) * 3
        out[target] = LanczosWeights.byte(red)
        out[target + 1] = LanczosWeights.byte(green)
        out[target + 2] = LanczosWeights.byte(blue)
      }
    }
    return RGBImage(width: outWidth, height: height, pixels: out)
  }

  private func resampledRows(_ weights: LanczosWeights) -> RGBImage {
    let outHeight = weights.starts.count
    let stride = width * 3
    var out = [UInt8](repeating: 0, count: outHeight * stride)
    var sums = [Int](repeating: 0, count: stride)
    for y in 0..<outHeight {
      for i in 0..<stride { sums[i] = LanczosWeights.half }
      let taps = weights.taps(y)
      for k in 0..<taps.count {
        let weight = weights.values[taps.first + k]
        let source = (weights.starts[y] + k) * stride
        for i in 0..<stride { sums[i] += Int(pixels[source + i]) * weight }
      }
      for i in 0..<stride { out[y * stride + i] = LanczosWeights.byte(sums[i]) }
    }
    return RGBImage(width: width, height: outHeight, pixels: out)
  }
}

/// For each output position along one axis, the first input position and the fixed-point weights from there on.
private struct LanczosWeights {
  /// A weight of one is `1 << precision`: 32 bits less 8 for the pixel and 2 for the overshoot.
  static let precision = 22
  static let half = 1 << (precision - 1)

  private(set) var starts: [Int] = []
  private(set) var values: [Int] = []
  private var counts: [Int] = []
  private let stride: Int

  init(from size: Int, to outSize: Int) {
    let scale = Double(size) / Double(outSize)
    let spread = max(scale, 1)
    let support = 3 * spread
    stride = Int(support.rounded(.up)) * 2 + 1
    values = [Int](repeating: 0, count: outSize * stride)
    for position in 0..<outSize {
      let center = (Double(position) + 0.5) * scale
      let first = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), size)
      let weights = (first..<end).map { Self.lanczos((Double($0) - center + 0.5) * (1 / spread)) }
      let total = weights.reduce(0, +)
      for (k, weight) in weights.enumerated() {
        values[position * stride + k] = Self.fixedPoint(total == 0 ? weight : weight / total)
      }
      starts.append(first)
      counts.append(weights.count)
    }
  }

  func taps(_ position: Int) -> (first: Int, count: Int) { (position * stride, counts[position]) }

  static func byte(_ sum: Int) -> UInt8 { UInt8(min(max(sum >> precision, 0), 255)) }

  private static func fixedPoint(_ weight: Double) -> Int {
    Int(weight * Double(1 << precision) + (weight < 0 ? -0.5 : 0.5))
  }

  private static func lanczos(_ x: Double) -> Double {
    x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
  }

  private static func sinc(_ x: Double) -> Double {
    if x == 0 { return 1 }
    let angle = x * Double.pi
    return sin(angle) / angle
  }
}
