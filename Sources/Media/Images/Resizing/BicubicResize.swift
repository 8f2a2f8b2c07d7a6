// Bicubic interpolation as torch's `interpolate(mode: "bicubic", align_corners: false, antialias: false)`:
// a = -0.75, half-pixel centres, edges repeated, float32 throughout.

extension PlanarImage {
  /// The picture at another size, four taps along each axis whatever the scale; values may overshoot [-1, 1].
  public func bicubicResized(width: Int, height: Int) -> PlanarImage {
    precondition(width > 0 && height > 0, "PlanarImage: cannot resize to \(width)x\(height)")
    let columns = BicubicTaps(from: self.width, to: width)
    let rows = BicubicTaps(from: self.height, to: height)
    var out = [Float](repeating: 0, count: 3 * width * height)
    var line = [Float](repeating: 0, count: self.width)
    for channel in 0..<3 {
      for y in 0..<height {
        blendRows(rows, y, channel: channel, into: &line)
        for x in 0..<width {
          out[(channel * height + y) * width + x] = columns.blend(line, x)
        }
      }
    }
    return PlanarImage(width: width, height: height, values: out)
  }

  private func blendRows(_ rows: BicubicTaps, _ y: Int, channel: Int, into line: inout [Float]) {
    let bases = (0..<4).map { (channel * height + rows.positions[4 * y + $0]) * width }
    for x in 0..<width {
      var sum: Float = 0
      for k in 0..<4 { sum += values[bases[k] + x] * rows.weights[4 * y + k] }
      line[x] = sum
    }
  }
}

/// For each output position along one axis, four input positions and their weights.
private struct BicubicTaps {
  private(set) var positions: [Int] = []
  private(set) var weights: [Float] = []

  init(from size: Int, to outSize: Int) {
    let scale = Float(size) / Float(outSize)
    for position in 0..<outSize {
      let center = scale * (Float(position) + 0.5) - 0.5
      let base = center.rounded(.down)
      let t = center - base
      positions += (-1...2).map { min(max(Int(base) + $0, 0), size - 1) }
      weights += [Self.outer(t + 1), Self.inner(t), Self.inner(1 - t), Self.outer(2 - t)]
    }
  }

  func blend(_ line: [Float], _ position: Int) -> Float {
    var sum: Float = 0
    for k in 4 * position..<4 * position + 4 { sum += line[positions[k]] * weights[k] }
    return sum
  }

  private static let a: Float = -0.75

  /// The kernel for distances in [0, 1].
  private static func inner(_ x: Float) -> Float { ((a + 2) * x - (a + 3)) * x * x + 1 }

  /// The kernel for distances in [1, 2].
  private static func outer(_ x: Float) -> Float { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
}
