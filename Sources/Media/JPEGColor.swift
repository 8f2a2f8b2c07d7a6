// From a JPEG's luma and halved chroma planes to RGB as libjpeg does it by default: each chroma sample is spread over
// its pixels by a triangle filter, 3/4 from the nearer sample and 1/4 from the farther one.

extension JPEGChroma {
  /// The layout in which ffmpeg decodes it, without any conversion.
  var pixelFormat: String {
    switch self {
    case .quarter: "yuvj420p"
    case .halfWidth: "yuvj422p"
    }
  }
}

extension RGBImage {
  /// Nil unless `planes` hold exactly the three planes of such a picture.
  init?(planes: [UInt8], width: Int, height: Int, chroma: JPEGChroma) {
    let chromaWidth = (width + 1) / 2
    let chromaHeight = chroma == .quarter ? (height + 1) / 2 : height
    let area = width * height
    guard planes.count == area + 2 * chromaWidth * chromaHeight else { return nil }
    let upsampler = ChromaUpsampler(planes: planes, width: chromaWidth, height: chromaHeight, kind: chroma)
    var pixels = [UInt8](repeating: 0, count: 3 * area)
    var blueLine = [Int](repeating: 0, count: 2 * chromaWidth)
    var redLine = blueLine
    for y in 0..<height {
      upsampler.fill(&blueLine, plane: area, row: y)
      upsampler.fill(&redLine, plane: area + chromaWidth * chromaHeight, row: y)
      for x in 0..<width {
        let target = 3 * (y * width + x)
        let luma = Int(planes[y * width + x])
        let (blue, red) = (blueLine[x] - 128, redLine[x] - 128)
        pixels[target] = Self.clamped(luma + (91_881 * red + 32_768) >> 16)
        pixels[target + 1] = Self.clamped(luma + (-22_554 * blue - 46_802 * red + 32_768) >> 16)
        pixels[target + 2] = Self.clamped(luma + (116_130 * blue + 32_768) >> 16)
      }
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  private static func clamped(_ value: Int) -> UInt8 { UInt8(min(max(value, 0), 255)) }
}

private struct ChromaUpsampler {
  let planes: [UInt8]
  let width: Int
  let height: Int
  let kind: JPEGChroma

  /// One full-width row of the chroma plane that begins at `plane`. Rounding alternates, as libjpeg's does.
  func fill(_ line: inout [Int], plane: Int, row: Int) {
    let sums = column(plane: plane, row: row)
    let (unit, even, odd) = kind == .quarter ? (4, 8, 7) : (1, 1, 2)
    for x in 0..<width {
      let center = 3 * sums[x]
      line[2 * x] = x == 0 ? edge(sums[0], even, unit) : (center + sums[x - 1] + even) / (4 * unit)
      line[2 * x + 1] = x == width - 1 ? edge(sums[x], odd, unit) : (center + sums[x + 1] + odd) / (4 * unit)
    }
  }

  private func edge(_ sum: Int, _ rounding: Int, _ unit: Int) -> Int {
    unit == 1 ? sum : (4 * sum + rounding) / (4 * unit)
  }

  /// The row's samples, blended 3 to 1 with the nearer neighbouring row where rows are halved too.
  private func column(plane: Int, row: Int) -> [Int] {
    guard kind == .quarter else {
      return (0..<width).map { Int(planes[plane + row * width + $0]) }
    }
    let near = row / 2
    let far = min(max(row % 2 == 0 ? near - 1 : near + 1, 0), height - 1)
    return (0..<width).map { 3 * Int(planes[plane + near * width + $0]) + Int(planes[plane + far * width + $0]) }
  }
}
