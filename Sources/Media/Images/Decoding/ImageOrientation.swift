/// How a stored picture must be turned to stand upright: the values of EXIF's tag 0x0112.
enum ImageOrientation: Int, Sendable, CaseIterable {
  case upright = 1
  case mirrored, upsideDown, flipped, transposed, turnRight, transversed, turnLeft

  var swapsSides: Bool { rawValue >= Self.transposed.rawValue }
}

extension RGBImage {
  /// The picture as it is meant to be seen.
  func oriented(_ orientation: ImageOrientation) -> RGBImage {
    guard orientation != .upright else { return self }
    let outWidth = orientation.swapsSides ? height : width
    let outHeight = orientation.swapsSides ? width : height
    var out: [UInt8] = []
    out.reserveCapacity(pixels.count)
    for y in 0..<outHeight {
      for x in 0..<outWidth {
        let (column, row) = source(ofX: x, y: y, orientation)
        let start = (row * width + column) * 3
        out += pixels[start..<start + 3]
      }
    }
    return RGBImage(width: outWidth, height: outHeight, pixels: out)
  }

  private func source(ofX x: Int, y: Int, _ orientation: ImageOrientation) -> (column: Int, row: Int) {
    switch orientation {
    case .upright: (x, y)
    case .mirrored: (width - 1 - x, y)
    case .upsideDown: (width - 1 - x, height - 1 - y)
    case .flipped: (x, height - 1 - y)
    case .transposed: (y, x)
    case .turnRight: (y, height - 1 - x)
    case .transversed: (width - 1 - y, height - 1 - x)
    case .turnLeft: (width - 1 - y, x)
    }
  }
}
