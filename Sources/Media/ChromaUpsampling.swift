// From luma and halved chroma planes to RGB: each chroma sample is spread over its pixels by a triangle filter, 3/4
// from the nearer sample and 1/4 from the farther one along each halved axis. libjpeg and libwebp differ in rounding.

extension RGBImage {
  /// Nil unless `planes` hold exactly the three planes of such a picture.
  init?(planes: [UInt8], width: Int, height: Int, chroma: ChromaLayout) {
    let chromaWidth = (width + 1) / 2
    let chromaHeight = chroma.halvesRows ? (height + 1) / 2 : height
    let area = width * height
    guard planes.count == area + 2 * chromaWidth * chromaHeight else { return nil }
    let upsampler = ChromaUpsampler(planes: planes, width: chromaWidth, height: chromaHeight, layout: chroma)
    var pixels = [UInt8](repeating: 0, count: 3 * area)
    var blueLine = [Int](repeating: 0, count: 2 * chromaWidth)
    var redLine = blueLine
    for y in 0..<height {
      upsampler.fill(&blueLine, plane: area, row: y)
      upsampler.fill(&redLine, plane: area + chromaWidth * chromaHeight, row: y)
      for x in 0..<width {
        let target = 3 * (y * width + x)
        let pixel = chroma.rgb(Int(planes[y * width + x]), blueLine[x], redLine[x])
        (pixels[target], pixels[target + 1], pixels[target + 2]) = pixel
      }
    }
    self.init(width: width, height: height, pixels: pixels)
  }
}

private struct ChromaUpsampler {
  let planes: [UInt8]
  let width: Int
  let height: Int
  let layout: ChromaLayout

  /// One full-width row of the chroma plane that begins at `plane`; beyond the edges the plane repeats.
  func fill(_ line: inout [Int], plane: Int, row: Int) {
    let near = plane + (layout.halvesRows ? row / 2 : row) * width
    let far = plane + otherRow(row) * width
    for x in 0..<width {
      line[2 * x] = blend(near + x, near + max(x - 1, 0), far + x, far + max(x - 1, 0), isLeft: true)
      let next = min(x + 1, width - 1)
      line[2 * x + 1] = blend(near + x, near + next, far + x, far + next, isLeft: false)
    }
  }

  private func otherRow(_ row: Int) -> Int {
    guard layout.halvesRows else { return row }
    return min(max(row % 2 == 0 ? row / 2 - 1 : row / 2 + 1, 0), height - 1)
  }

  /// Blends the samples at four places: the nearest, its horizontal, its vertical and its diagonal neighbour.
  private func blend(_ nearest: Int, _ beside: Int, _ above: Int, _ diagonal: Int, isLeft: Bool) -> Int {
    let (a, b, c, d) = (Int(planes[nearest]), Int(planes[beside]), Int(planes[above]), Int(planes[diagonal]))
    switch layout {
    case .jpegQuarter: return (3 * (3 * a + c) + 3 * b + d + (isLeft ? 8 : 7)) / 16
    case .jpegHalfWidth: return nearest == beside ? a : (3 * a + b + (isLeft ? 1 : 2)) / 4
    case .webpQuarter: return ((a + b + c + d + 8 + 2 * (b + c)) / 8 + a) / 2
    }
  }
}
