// PNG (ISO 15948) without compression: what is overwritten every few seconds need not be small, and takes no other process.

extension RGBImage {
  /// The picture as a PNG file: 8 bits of red, green and blue, stored as they are.
  public func png() -> [UInt8] {
    var rows: [UInt8] = []
    rows.reserveCapacity(height * (1 + 3 * width))
    for y in 0..<height {
      rows.append(0)  // no filter
      rows += pixels[y * width * 3..<(y + 1) * width * 3]
    }
    let header = PNGChunk.bigEndian(width) + PNGChunk.bigEndian(height) + [8, 2, 0, 0, 0]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + PNGChunk.bytes("IHDR", header)
      + PNGChunk.bytes("IDAT", Self.stored(rows)) + PNGChunk.bytes("IEND", [])
  }

  /// A zlib stream (RFC 1950) of stored blocks (RFC 1951).
  private static func stored(_ bytes: [UInt8]) -> [UInt8] {
    let longest = 65_535
    var stream: [UInt8] = [0x78, 0x01]
    stream.reserveCapacity(bytes.count + bytes.count / longest * 5 + 16)
    for start in stride(from: 0, to: bytes.count, by: longest) {
      let end = min(start + longest, bytes.count)
      let length = UInt16(end - start)
      stream.append(end == bytes.count ? 1 : 0)
      for part in [length, ~length] { stream += [UInt8(part & 0xFF), UInt8(part >> 8)] }
      stream += bytes[start..<end]
    }
    return stream + PNGChunk.bigEndian(Int(adler32(bytes)))
  }

  private static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    // 5552 is as many bytes as the sums take before they must be reduced.
    for start in stride(from: 0, to: bytes.count, by: 5552) {
      for i in start..<min(start + 5552, bytes.count) {
        a &+= UInt32(bytes[i])
        b &+= a
      }
      (a, b) = (a % 65_521, b % 65_521)
    }
    return b << 16 | a
  }
}

/// A chunk of a PNG: a length, a name, a payload and a checksum.
enum PNGChunk {
  static func bytes(_ name: String, _ payload: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + payload
    return bigEndian(payload.count) + body + bigEndian(Int(checksum(body)))
  }

  static func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  /// The CRC-32 of ISO 3309.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes { crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
    return ~crc
  }

  private static let table = (0..<256).map { index -> UInt32 in
    (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }
}
