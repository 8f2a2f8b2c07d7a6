// TIFF 6.0, which is also the inside of an EXIF block: a byte order, then a directory of tagged values.

extension ImageHeader {
  mutating func parseTIFF(_ source: inout some ByteSource) {
    let tags = TIFFDirectory(parsing: &source)
    (width, height) = (tags.values[0x0100], tags.values[0x0101])
    isDeep = tags.values[0x0102] == 16
    orientation = tags.orientation ?? orientation
  }

  /// Takes the orientation out of an EXIF block, with or without its `Exif\0\0` prefix.
  mutating func readExif(_ block: [UInt8]) {
    let prefixed = ByteReader(bytes: block).starts(with: "Exif\0\0")
    var source = ArraySource(content: prefixed ? Array(block.dropFirst(6)) : block)
    orientation = TIFFDirectory(parsing: &source).orientation ?? orientation
  }
}

/// The small whole numbers of the first directory, by tag.
private struct TIFFDirectory {
  private(set) var values: [Int: Int] = [:]

  var orientation: ImageOrientation? { values[0x0112].flatMap(ImageOrientation.init(rawValue:)) }

  init(parsing source: inout some ByteSource) {
    var header = ByteReader(bytes: source.bytes(at: 0, count: 8))
    header.littleEndian = header.starts(with: "II*\0")
    guard header.littleEndian || header.starts(with: "MM\0*"), let start = header.integer(at: 4, size: 4) else {
      return
    }
    func reader(_ bytes: [UInt8]) -> ByteReader { ByteReader(bytes: bytes, littleEndian: header.littleEndian) }
    guard let count = reader(source.bytes(at: start, count: 2)).integer(at: 0, size: 2) else { return }
    let entries = reader(source.bytes(at: start + 2, count: 12 * count))
    for offset in stride(from: 0, to: entries.bytes.count, by: 12) {
      guard let tag = entries.integer(at: offset, size: 2) else { return }
      values[tag] = value(entries, offset, &source)
    }
  }

  /// The first value of an entry of type SHORT or LONG; BitsPerSample of several channels lies elsewhere in the file.
  private func value(_ entries: ByteReader, _ offset: Int, _ source: inout some ByteSource) -> Int? {
    guard let count = entries.integer(at: offset + 4, size: 4), count > 0 else { return nil }
    switch entries.integer(at: offset + 2, size: 2) {
    case 3 where count <= 2: return entries.integer(at: offset + 8, size: 2)
    case 3:
      guard let place = entries.integer(at: offset + 8, size: 4) else { return nil }
      let bytes = source.bytes(at: place, count: 2)
      return ByteReader(bytes: bytes, littleEndian: entries.littleEndian).integer(at: 0, size: 2)
    case 4 where count == 1: return entries.integer(at: offset + 8, size: 4)
    default: return nil
    }
  }
}
