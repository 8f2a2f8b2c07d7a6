/// The orientation that the notes beside a picture tell: EXIF's, and without one that of XMP.
struct StoredOrientation {
  private var exif: ImageOrientation?
  private var xmp: ImageOrientation?

  var steps: [PictureStep] {
    let orientation = exif ?? xmp ?? .upright
    return orientation == .upright ? [] : [.turn(orientation)]
  }

  /// - Parameter block: with or without its `Exif\0\0` prefix.
  mutating func read(exif block: [UInt8]) {
    let isPrefixed = ByteReader(bytes: block).starts(with: "Exif\0\0")
    let directory = TIFFDirectory(of: isPrefixed ? Array(block.dropFirst(6)) : block)
    if let found = directory?.orientation { exif = found }
  }

  /// Looks for `tiff:Orientation` as an attribute or as an element.
  mutating func read(xmp packet: ArraySlice<UInt8>) {
    let key = Array("tiff:Orientation".utf8)
    var rest = packet
    while let start = rest.firstIndex(of: key[0]) {
      rest = rest[start...]
      if rest.starts(with: key) {
        let value = rest.dropFirst(key.count)
        let digit = value.starts(with: "=\"".utf8) ? value.dropFirst(2).first : value.dropFirst().first
        if value.starts(with: "=\"".utf8) || value.starts(with: ">".utf8), let digit, (0x30...0x39).contains(digit) {
          xmp = ImageOrientation(rawValue: Int(digit) - 0x30) ?? .upright
          return
        }
      }
      rest = rest.dropFirst()
    }
  }
}
