extension RGBImage {
  /// Pictures of one size side by side, from left to right and from top to bottom, with black between them.
  ///
  /// - Parameters:
  ///   - columns: pictures in a row.
  ///   - gap: black pixels between two of them; places that are left over are black too.
  public static func sheet(of pictures: [RGBImage], columns: Int, gap: Int = 0) -> RGBImage {
    precondition(!pictures.isEmpty && columns > 0 && gap >= 0, "RGBImage: a sheet needs pictures and columns")
    let (width, height) = (pictures[0].width, pictures[0].height)
    precondition(
      pictures.allSatisfy { $0.width == width && $0.height == height },
      "RGBImage: pictures of a sheet must be of one size")
    let rows = (pictures.count + columns - 1) / columns
    let (sheetWidth, sheetHeight) = (columns * (width + gap) - gap, rows * (height + gap) - gap)
    var pixels = [UInt8](repeating: 0, count: sheetWidth * sheetHeight * 3)
    for (index, picture) in pictures.enumerated() {
      let (left, top) = (index % columns * (width + gap), index / columns * (height + gap))
      for y in 0..<height {
        let start = ((top + y) * sheetWidth + left) * 3
        pixels.replaceSubrange(
          start..<start + width * 3, with: picture.pixels[y * width * 3..<(y + 1) * width * 3])
      }
    }
    return RGBImage(width: sheetWidth, height: sheetHeight, pixels: pixels)
  }

  /// Columns with which a sheet of so many pictures of this size comes nearest to twice as wide as high, the fewest empty
  /// places among those that are as near.
  public func sheetColumns(count: Int) -> Int {
    let candidates = (1...max(count, 1)).map { columns -> (columns: Int, waste: Double) in
      let rows = (count + columns - 1) / columns
      let shape = Double(columns * width) / Double(rows * height)
      let empty = Double(columns * rows - count) / Double(max(count, 1))
      return (columns, max(shape / 2, 2 / shape) + empty)
    }
    return candidates.min { $0.waste < $1.waste }?.columns ?? 1
  }
}
