// From luma and halved chroma planes to RGB: each chroma sample is spread over its pixels by a triangle filter, 3/4
// from the nearer sample and 1/4 from the farther one along each halved axis. The libraries differ in rounding and at
// the edges; libheif repeats the nearer sample.

extension RGBImage {
  /// Nil unless `planes` hold exactly the planes of such a picture.
  init?(planes: some Collection<UInt8>, width: Int, height: Int, chroma: ChromaLayout) {
    guard planes.count == chroma.byteCount(width: width, height: height) else { return nil }
    let samples = chroma.depth > 8 ? Self.narrowed(Array(planes), depth: chroma.depth) : Array(planes)
    let area = width * height
    let chromaWidth = chroma.chromaWidth(width)
    let upsampler = ChromaUpsampler(
      planes: samples, width: chromaWidth, height: chroma.chromaHeight(height), lumaWidth: width, layout: chroma)
    var pixels = [UInt8](repeating: 0, count: 3 * area)
    // Room for as many columns as chroma samples cover; without chroma, the neutral value.
    var blueLine = [Int](repeating: 128, count: width + 3)
    var redLine = blueLine
    for y in 0..<height {
      if chroma.sampling != .grey {
        upsampler.fill(&blueLine, plane: area, row: y)
        upsampler.fill(&redLine, plane: area + chromaWidth * chroma.chromaHeight(height), row: y)
      }
      for x in 0..<width {
        let target = 3 * (y * width + x)
        let pixel = chroma.rgb(Int(samples[y * width + x]), blueLine[x], redLine[x])
        (pixels[target], pixels[target + 1], pixels[target + 2]) = pixel
      }
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// Little-endian samples of more than 8 bits, rounded to 8.
  private static func narrowed(_ planes: [UInt8], depth: Int) -> [UInt8] {
    let shift = depth - 8
    return stride(from: 0, to: planes.count - 1, by: 2).map { i in
      UInt8(clamping: (Int(planes[i]) | Int(planes[i + 1]) << 8) >> shift)
    }
  }
}

private struct ChromaUpsampler {
  let planes: [UInt8]
  let width: Int
  let height: Int
  let lumaWidth: Int
  let layout: ChromaLayout

  /// One full-width row of the chroma plane that begins at `plane`; beyond the edges the plane repeats.
  func fill(_ line: inout [Int], plane: Int, row: Int) {
    let near = plane + nearRow(row) * width
    let far = plane + otherRow(row) * width
    switch layout.sampling {
    case .grey, .full: for x in 0..<width { line[x] = Int(planes[near + x]) }
    case .quarterWidth: for x in 0..<line.count - 3 { line[x] = Int(planes[near + x / 4]) }
    case .halfHeight:
      for x in 0..<width { line[x] = (3 * Int(planes[near + x]) + Int(planes[far + x]) + (row % 2 == 0 ? 1 : 2)) / 4 }
    case .halfWidth, .quarter:
      for x in 0..<width {
        let previous = isOddEnd(x) ? x : max(x - 1, 0)
        line[2 * x] = blend(near + x, near + previous, far + x, far + previous, isLeft: true)
        let next = min(x + 1, width - 1)
        line[2 * x + 1] = blend(near + x, near + next, far + x, far + next, isLeft: false)
      }
    }
  }

  /// Whether a sample's left pixel is the last of a row of odd width: libavif does not blend it with its neighbour.
  private func isOddEnd(_ x: Int) -> Bool {
    guard case .blended = layout.rule else { return false }
    return 2 * x == lumaWidth - 1
  }

  private var halvesRows: Bool { layout.sampling == .quarter || layout.sampling == .halfHeight }

  private func nearRow(_ row: Int) -> Int { halvesRows ? row / 2 : row }

  private func otherRow(_ row: Int) -> Int {
    guard halvesRows else { return row }
    return min(max(row % 2 == 0 ? row / 2 - 1 : row / 2 + 1, 0), height - 1)
  }

  /// Blends the samples at four places: the nearest, its horizontal, its vertical and its diagonal neighbour.
  private func blend(_ nearest: Int, _ beside: Int, _ above: Int, _ diagonal: Int, isLeft: Bool) -> Int {
    let (a, b, c, d) = (Int(planes[nearest]), Int(planes[beside]), Int(planes[above]), Int(planes[diagonal]))
    switch (layout.rule, layout.sampling) {
    case (.webp, _): return ((a + b + c + d + 8 + 2 * (b + c)) / 8 + a) / 2
    // libjpeg repeats the samples of planes of one or two columns.
    case (.jpeg, _) where width <= 2: return a
    case (.repeated, _): return a
    case (.blended, .quarter): return (9 * a + 3 * b + 3 * c + d + 8) / 16
    case (.blended, _): return (3 * a + b + 2) / 4
    case (_, .quarter): return (3 * (3 * a + c) + 3 * b + d + (isLeft ? 8 : 7)) / 16
    default: return nearest == beside ? a : (3 * a + b + (isLeft ? 1 : 2)) / 4
    }
  }
}
