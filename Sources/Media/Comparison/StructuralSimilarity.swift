import Foundation

/// The structural similarity of two grey pictures: Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From Error
/// Visibility to Structural Similarity", IEEE Transactions on Image Processing 13(4), 2004.
///
/// With the paper's own choices: an 11x11 window of a Gaussian with a standard deviation of 1.5, K1 = 0.01, K2 = 0.03,
/// L = 255; the mean over all windows that lie inside of the picture. Nothing is made smaller before.
struct StructuralSimilarity {
  /// Sides that a picture must have at least.
  static let window = 11

  private static let c1: Float = 0.01 * 255 * 0.01 * 255
  private static let c2: Float = 0.03 * 255 * 0.03 * 255
  /// Of the window's middle, and of each distance from it.
  private static let weights: [Float] = {
    let weights = (0...window / 2).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let sum = weights[0] + 2 * weights.dropFirst().reduce(0, +)
    return weights.map { Float($0 / sum) }
  }()

  private let width, height: Int
  /// For each pixel both values, the sum of their squares and their product. The values count from the middle of their
  /// range: variances do not change by that, and what they are made of becomes smaller, and more exact.
  private let moments: [SIMD4<Float>]

  /// - Parameter luma: of as many pixels as `width` and `height` say; at least 11 on each side.
  init(_ one: [Float], _ other: [Float], width: Int, height: Int) {
    precondition(width >= Self.window && height >= Self.window, "SSIM: \(width)x\(height) is smaller than its window")
    precondition(one.count == width * height && other.count == one.count, "SSIM: pictures of different sizes")
    (self.width, self.height) = (width, height)
    moments = zip(one, other).map { a, b in
      let (x, y) = (a - 128, b - 128)
      return SIMD4(x, y, x * x + y * y, x * y)
    }
  }

  /// 1 for equal pictures.
  var mean: Double {
    let columns = width - Self.window + 1
    let rows = blurredRows(columns: columns)
    var line = [SIMD4<Float>](repeating: .zero, count: columns)
    var sum = 0.0
    for y in 0..<height - Self.window + 1 {
      blendRows(rows, from: y, into: &line)
      var lineSum: Float = 0
      for x in 0..<columns { lineSum += Self.similarity(line[x]) }
      sum += Double(lineSum)
    }
    return sum / Double(columns * (height - Self.window + 1))
  }

  /// Every row under the window's row of weights.
  private func blurredRows(columns: Int) -> [SIMD4<Float>] {
    let (w0, w1, w2) = (Self.weights[0], Self.weights[1], Self.weights[2])
    let (w3, w4, w5) = (Self.weights[3], Self.weights[4], Self.weights[5])
    var rows: [SIMD4<Float>] = []
    rows.reserveCapacity(columns * height)
    for y in 0..<height {
      let row = moments[y * width..<(y + 1) * width]
      for start in row.startIndex..<row.startIndex + columns {
        var sum = w0 * row[start + 5] + w1 * (row[start + 4] + row[start + 6])
        sum += w2 * (row[start + 3] + row[start + 7]) + w3 * (row[start + 2] + row[start + 8])
        sum += w4 * (row[start + 1] + row[start + 9]) + w5 * (row[start] + row[start + 10])
        rows.append(sum)
      }
    }
    return rows
  }

  private func blendRows(_ rows: [SIMD4<Float>], from y: Int, into line: inout [SIMD4<Float>]) {
    let columns = line.count
    let middle = (y + Self.window / 2) * columns
    for x in 0..<columns { line[x] = Self.weights[0] * rows[middle + x] }
    for distance in 1...Self.window / 2 {
      let (above, below, weight) = (middle - distance * columns, middle + distance * columns, Self.weights[distance])
      for x in 0..<columns { line[x] += weight * (rows[above + x] + rows[below + x]) }
    }
  }

  /// Equation 13 of the paper.
  private static func similarity(_ moments: SIMD4<Float>) -> Float {
    let (x, y) = (moments[0], moments[1])
    let (meanX, meanY) = (x + 128, y + 128)
    let (variances, covariance) = (moments[2] - x * x - y * y, moments[3] - x * y)
    return (2 * meanX * meanY + c1) * (2 * covariance + c2)
      / ((meanX * meanX + meanY * meanY + c1) * (variances + c2))
  }
}

extension RGBImage {
  /// 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), 0...255, not rounded.
  var luma: [Float] {
    (0..<width * height).map { i in
      0.299 * Float(pixels[3 * i]) + 0.587 * Float(pixels[3 * i + 1]) + 0.114 * Float(pixels[3 * i + 2])
    }
  }
}
