extension ImageHeader {
  /// Walks the segments up to the scan (ITU-T T.81, annex B): EXIF lies in APP1, the size in the frame header.
  mutating func parseJPEG(_ source: inout some ByteSource) {
    var offset = 2
    for _ in 0..<4096 {
      let segment = ByteReader(bytes: source.bytes(at: offset, count: 20))
      guard let marker = segment.integer(at: 0, size: 2), marker >> 8 == 0xFF else { return }
      switch marker & 0xFF {
      case 0xFF:  // fill byte
        offset += 1
        continue
      case 0x01, 0xD0...0xD7:  // markers without a payload
        offset += 2
        continue
      case 0xD9, 0xDA: return
      default: break
      }
      guard let length = segment.integer(at: 2, size: 2), length >= 2 else { return }
      readSegment(marker & 0xFF, segment, payload: (offset + 4, length - 2), &source)
      offset += 2 + length
    }
  }

  private mutating func readSegment(
    _ marker: Int, _ segment: ByteReader, payload: (offset: Int, count: Int), _ source: inout some ByteSource
  ) {
    switch marker {
    case 0xE1 where segment.starts(with: "Exif\0\0", at: 4):
      readExif(source.bytes(at: payload.offset, count: payload.count))
    case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
      (height, width) = (segment.integer(at: 5, size: 2), segment.integer(at: 7, size: 2))
      chroma = Self.chroma(segment)
    default: break
    }
  }

  private static func chroma(_ frame: ByteReader) -> ChromaLayout? {
    guard frame.integer(at: 4, size: 1) == 8, frame.integer(at: 9, size: 1) == 3 else { return nil }
    let sampling = [11, 14, 17].map { frame.integer(at: $0, size: 1) }
    switch sampling {
    case [0x22, 0x11, 0x11]: return .jpegQuarter
    case [0x21, 0x11, 0x11]: return .jpegHalfWidth
    default: return nil
    }
  }
}
