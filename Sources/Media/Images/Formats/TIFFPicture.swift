extension CodedPicture {
  /// The tags that say how the pixels are stored. What a fourth channel means is not among them: it is dropped.
  private static let essential: Set<Int> = [
    256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 339,
  ]

  /// The first page. Of its directory only what says how the pixels are stored is kept, in a new one behind the file:
  /// profiles, previews and further pages are out of the decoder's reach.
  init(tiff file: [UInt8]) throws(Refusal) {
    guard let directory = TIFFDirectory(of: file), directory.isWhole else {
      throw .damaged("its TIFF directory is not within the file")
    }
    let layout = try TIFFLayout(directory, isCanon: ByteReader(bytes: file).starts(with: "CR\u{2}", at: 8))
    guard file.count < 1 << 31 else { throw .unread("a TIFF picture of more than 2 GiB") }
    let (starts, sizes) = (directory.all(273, in: file), directory.all(279, in: file))
    guard !starts.isEmpty, starts.count == sizes.count, zip(starts, sizes).allSatisfy({ $0 + $1 <= file.count }) else {
      throw .damaged("a strip of its picture is missing or lies beyond its end")
    }
    let kept = directory.entries.filter { Self.essential.contains($0.tag) }
    let start = file.count + file.count % 2
    var stream = file + [UInt8](repeating: 0, count: file.count % 2)
    stream += directory.encoded(kept.count, size: 2) + kept.flatMap(\.bytes) + [0, 0, 0, 0]
    stream.replaceSubrange(4..<8, with: directory.encoded(start, size: 4))
    self.init(codec: .tiff, stream: stream, width: layout.width, height: layout.height)
    form = layout.bits == 16 ? .rgb16 : .rgb8
    if let orientation = directory.orientation, orientation != .upright { steps = [.turn(orientation)] }
  }
}

extension TIFFDirectory {
  fileprivate func encoded(_ value: Int, size: Int) -> [UInt8] {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    return isLittleEndian ? bytes : bytes.reversed()
  }
}

/// How a TIFF stores its pixels; only what every ffmpeg decodes as Pillow does is let through.
private struct TIFFLayout {
  var width: Int
  var height: Int
  var bits: Int

  init(_ directory: TIFFDirectory, isCanon: Bool) throws(Refusal) {
    let tags = directory.values
    (width, height, bits) = (tags[256] ?? 0, tags[257] ?? 0, tags[258] ?? 1)
    // A raw file's first directory holds a preview or the sensor's values.
    guard !isCanon, tags[50706] == nil, (tags[254] ?? 0) & 1 == 0 else { throw .unread(UnreadFormat.rawName) }
    try Self.checkCompression(tags)
    try Self.checkSamples(directory, bits)
    try Self.checkColour(tags, bits)
    guard tags[322] == nil, tags[324] == nil else { throw .unread("a TIFF picture made of tiles") }
  }

  private static func checkCompression(_ tags: [Int: Int]) throws(Refusal) {
    let compression = tags[259] ?? 1
    switch compression {
    case 1, 5, 8, 32946, 32773: break
    case 2, 3, 4:
      guard tags[258] ?? 1 == 1, tags[262] ?? 0 <= 1 else { throw .damaged("fax compression of more than one bit") }
    case 6, 7: throw .unread("a picture in JPEG inside a TIFF")
    default: throw .unread("a TIFF picture with compression \(compression)")
    }
    guard [1, 2].contains(tags[317] ?? 1) else { throw .unread("a TIFF picture with predictor \(tags[317] ?? 1)") }
    guard tags[266] ?? 1 == 1 else { throw .unread("a TIFF picture with reversed bits") }
  }

  private static func checkSamples(_ directory: TIFFDirectory, _ bits: Int) throws(Refusal) {
    let kind = directory.values[339] ?? 1
    guard kind != 3 else { throw .unread("a TIFF picture of floating-point values") }
    guard kind == 1 || kind == 4 else { throw .unread("a TIFF picture of signed or complex values") }
    guard Set(directory.lists[258] ?? []).count <= 1, Set(directory.lists[339] ?? []).count <= 1 else {
      throw .unread("a TIFF picture of unequal channels")
    }
    guard [1, 8, 16].contains(bits) else { throw .unread("a TIFF picture of \(bits) bits per channel") }
    if directory.values[284] ?? 1 == 2 {
      guard bits == 8, directory.values[317] ?? 1 == 1 else { throw .unread("a TIFF picture of separate planes") }
    }
  }

  private static func checkColour(_ tags: [Int: Int], _ bits: Int) throws(Refusal) {
    let channels = tags[277] ?? 1
    switch tags[262] ?? 0 {
    case 0 where channels == 1 && bits <= 8, 1 where channels == 1: return
    case 2 where (channels == 3 || channels == 4 && tags[338] ?? 0 != 1) && bits >= 8: return
    case 3 where channels == 1 && bits == 8: return
    case 2 where channels == 4: throw .unread("a TIFF picture with premultiplied transparency")
    case 5: throw .unread("a TIFF picture in CMYK")
    case 6: throw .unread("a TIFF picture in YCbCr")
    case 8, 9, 10: throw .unread("a TIFF picture in Lab")
    case 32803, 34892: throw .unread(UnreadFormat.rawName)
    case let kind: throw .unread("a TIFF picture of kind \(kind) with \(channels) channels of \(bits) bits")
    }
  }
}
