// TIFF 6.0, which is also the inside of an EXIF block: a byte order, then a directory of tagged values.

/// The first directory of a TIFF.
struct TIFFDirectory {
  /// The first value of each tag that holds small whole numbers.
  private(set) var values: [Int: Int] = [:]
  /// All values of the tags that a picture's form depends on: bits and sample formats, a number for each channel.
  private(set) var lists: [Int: [Int]] = [:]
  /// The twelve bytes of each entry, by tag.
  private(set) var entries: [(tag: Int, bytes: ArraySlice<UInt8>)] = []
  let isLittleEndian: Bool
  /// Whether all entries lie within the bytes.
  let isWhole: Bool

  var orientation: ImageOrientation? { values[0x0112].flatMap(ImageOrientation.init(rawValue:)) }

  /// Nil when there is no directory; one that reaches past the end has what is there.
  init?(of bytes: [UInt8]) {
    var reader = ByteReader(bytes: bytes)
    reader.littleEndian = reader.starts(with: "II*\0")
    isLittleEndian = reader.littleEndian
    guard reader.littleEndian || reader.starts(with: "MM\0*"), let start = reader.integer(at: 4, size: 4),
      let count = reader.integer(at: start, size: 2)
    else { return nil }
    let present = min(count, (bytes.count - start - 2) / 12)
    isWhole = present == count
    for entry in stride(from: start + 2, to: start + 2 + 12 * present, by: 12) {
      guard let tag = reader.integer(at: entry, size: 2) else { return nil }
      entries.append((tag, bytes[entry..<entry + 12]))
      let list = Self.list(reader, entry)
      values[tag] = list.first
      if list.count > 1 { lists[tag] = list }
    }
  }

  /// All values of a tag of type BYTE, SHORT or LONG, however many; empty when they reach past the end.
  ///
  /// - Parameter bytes: those that the directory was read of.
  func all(_ tag: Int, in bytes: [UInt8]) -> [Int] {
    guard let entry = entries.first(where: { $0.tag == tag }) else { return [] }
    let reader = ByteReader(bytes: bytes, littleEndian: isLittleEndian)
    return Self.list(reader, entry.bytes.startIndex, limit: bytes.count)
  }

  /// The values of an entry of type BYTE, SHORT or LONG: all of up to `limit`, otherwise the first.
  private static func list(_ reader: ByteReader, _ entry: Int, limit: Int = 8) -> [Int] {
    guard let type = reader.integer(at: entry + 2, size: 2), let size = [1: 1, 3: 2, 4: 4][type],
      let count = reader.integer(at: entry + 4, size: 4), count > 0, let far = reader.integer(at: entry + 8, size: 4)
    else { return [] }
    let place = count * size <= 4 ? entry + 8 : far
    return (0..<(count <= limit ? count : 1)).compactMap { reader.integer(at: place + $0 * size, size: size) }
  }
}
