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

/// The notes beside a picture that tell its orientation: EXIF, and without a word of it there XMP.
struct StoredOrientation {
  /// With or without its `Exif\0\0` prefix.
  var exif: [UInt8]?
  var xmp: ArraySlice<UInt8>?

  var steps: [PictureStep] {
    let orientation = exifOrientation ?? xmpOrientation ?? .upright
    return orientation == .upright ? [] : [.turn(orientation)]
  }

  /// Nil where EXIF has no such tag; a value that stands for no orientation is no turn.
  var exifOrientation: ImageOrientation? {
    guard let exif else { return nil }
    let isPrefixed = ByteReader(bytes: exif).starts(with: Self.prefix)
    let directory = TIFFDirectory(of: isPrefixed ? Array(exif.dropFirst(Self.prefix.utf8.count)) : exif)
    return directory?.values[0x0112].map { ImageOrientation(rawValue: $0) ?? .upright }
  }

  private static let prefix = "Exif\0\0"

  /// `tiff:Orientation` as an attribute or as an element.
  private var xmpOrientation: ImageOrientation? {
    let key = Array("tiff:Orientation".utf8)
    var rest = xmp ?? []
    while let start = rest.firstIndex(of: key[0]) {
      rest = rest[start...]
      if rest.starts(with: key) {
        let value = rest.dropFirst(key.count)
        let digit = value.starts(with: "=\"".utf8) ? value.dropFirst(2).first : value.dropFirst().first
        if value.starts(with: "=\"".utf8) || value.starts(with: ">".utf8), let digit, (0x30...0x39).contains(digit) {
          return ImageOrientation(rawValue: Int(digit) - 0x30) ?? .upright
        }
      }
      rest = rest.dropFirst()
    }
    return nil
  }
}
