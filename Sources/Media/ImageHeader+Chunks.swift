// PNG (ISO 15948) and WebP (RFC 9649): a signature, then chunks of a name, a length and a payload.

/// More chunks than any sensible picture has; a longer chain is left to ffmpeg.
private let maximumChunks = 65_536
/// EXIF blocks are limited to what a JPEG segment holds.
private let maximumExif = 65_536

extension ImageHeader {
  mutating func parsePNG(_ source: inout some ByteSource) {
    var offset = 8
    for _ in 0..<maximumChunks {
      let chunk = ByteReader(bytes: source.bytes(at: offset, count: 8 + 13))
      guard let length = chunk.integer(at: 0, size: 4), !chunk.starts(with: "IEND", at: 4) else { return }
      if chunk.starts(with: "IHDR", at: 4) {
        (width, height) = (chunk.integer(at: 8, size: 4), chunk.integer(at: 12, size: 4))
        isDeep = chunk.integer(at: 16, size: 1) == 16
      } else if chunk.starts(with: "eXIf", at: 4) {
        readExif(source.bytes(at: offset + 8, count: min(length, maximumExif)))
      }
      offset += 12 + length
    }
  }

  mutating func parseWebP(_ source: inout some ByteSource) {
    var offset = 12
    for _ in 0..<maximumChunks {
      let chunk = ByteReader(bytes: source.bytes(at: offset, count: 8 + 10), littleEndian: true)
      guard let length = chunk.integer(at: 4, size: 4) else { return }
      readWebPSize(chunk)
      if chunk.starts(with: "EXIF") {
        readExif(source.bytes(at: offset + 8, count: min(length, maximumExif)))
      }
      offset += 8 + length + length % 2
    }
  }

  private mutating func readWebPSize(_ chunk: ByteReader) {
    if chunk.starts(with: "VP8 ") { chroma = .webpQuarter }
    guard width == nil else { return }
    if chunk.starts(with: "VP8X") {
      width = chunk.integer(at: 12, size: 3).map { $0 + 1 }
      height = chunk.integer(at: 15, size: 3).map { $0 + 1 }
    } else if chunk.starts(with: "VP8L"), let bits = chunk.integer(at: 9, size: 4) {
      (width, height) = (bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1)
    } else if chunk.starts(with: "VP8 ") {
      width = chunk.integer(at: 14, size: 2).map { $0 & 0x3FFF }
      height = chunk.integer(at: 16, size: 2).map { $0 & 0x3FFF }
    }
  }
}
