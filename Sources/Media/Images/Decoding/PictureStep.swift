/// What is done with a decoded picture before it is shown.
enum PictureStep: Sendable, Equatable {
  case turn(ImageOrientation)
  case crop(left: Int, top: Int, width: Int, height: Int)
  case inset(PictureInset)
}

/// One colour.
struct Pixel: Sendable, Equatable {
  static let black = Pixel([0, 0, 0])
  let bytes: [UInt8]

  /// - Parameter bytes: red, green, blue.
  init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// A larger picture of one colour in which a frame lies.
struct PictureInset: Sendable, Equatable {
  var left: Int
  var top: Int
  var width: Int
  var height: Int
  var fill: Pixel

  init(_ left: Int, _ top: Int, in canvas: (width: Int, height: Int), fill: Pixel) {
    (self.left, self.top, self.width, self.height, self.fill) = (left, top, canvas.width, canvas.height, fill)
  }

  /// Nothing for a frame of this size that fills the whole.
  func steps(_ width: Int, _ height: Int) -> [PictureStep] {
    width == self.width && height == self.height ? [] : [.inset(self)]
  }
}

extension RGBImage {
  func applying(_ step: PictureStep) -> RGBImage {
    switch step {
    case .turn(let orientation): return oriented(orientation)
    case .crop(let left, let top, let width, let height):
      let starts = (top..<top + height).map { 3 * ($0 * self.width + left) }
      let rows = starts.map { pixels[$0..<$0 + 3 * width] }
      return RGBImage(width: width, height: height, pixels: Array(rows.joined()))
    case .inset(let inset):
      var out = Array(repeatElement(inset.fill.bytes, count: inset.width * inset.height).joined())
      out.place(self, left: inset.left, top: inset.top, width: inset.width)
      return RGBImage(width: inset.width, height: inset.height, pixels: out)
    }
  }

  /// One picture of tiles, row after row; nil unless there is one for each place.
  init?(tiles: [RGBImage], grid: TileGrid) {
    guard tiles.count == grid.rows * grid.columns, let first = tiles.first else { return nil }
    let (width, height) = (first.width * grid.columns, first.height * grid.rows)
    guard tiles.allSatisfy({ $0.width == first.width && $0.height == first.height }),
      (1...width).contains(grid.width), (1...height).contains(grid.height)
    else { return nil }
    var out = [UInt8](repeating: 0, count: 3 * width * height)
    for (i, tile) in tiles.enumerated() {
      out.place(tile, left: i % grid.columns * tile.width, top: i / grid.columns * tile.height, width: width)
    }
    let whole = RGBImage(width: width, height: height, pixels: out)
    self = whole.applying(.crop(left: 0, top: 0, width: grid.width, height: grid.height))
  }
}

extension Array<UInt8> {
  /// Copies a picture into the pixels of a larger one that is `width` wide.
  fileprivate mutating func place(_ image: RGBImage, left: Int, top: Int, width: Int) {
    for row in 0..<image.height {
      let target = 3 * ((top + row) * width + left)
      let source = 3 * row * image.width
      replaceSubrange(target..<target + 3 * image.width, with: image.pixels[source..<source + 3 * image.width])
    }
  }
}
