// Netpbm's binary pixmap, P6: the form in which ffmpeg hands over a picture with its size.

extension RGBImage {
  /// Nil unless `bytes` are one whole pixmap of 8 or 16 bits; of 16 the high byte is kept.
  init?(pixmap bytes: [UInt8]) {
    let header = bytes.prefix(64).split(separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false)
    guard header.count == 4, header[0].elementsEqual("P6".utf8) else { return nil }
    let sides = header[1].split(separator: UInt8(ascii: " ")).map { Int(String(decoding: $0, as: UTF8.self)) }
    guard sides.count == 2, let width = sides[0], let height = sides[1], width > 0, height > 0 else { return nil }
    let depth = header[2].elementsEqual("65535".utf8) ? 2 : 1
    let start = header[3].startIndex
    guard bytes.count - start == width * height * 3 * depth else { return nil }
    let pixels = depth == 1 ? Array(bytes[start...]) : stride(from: start, to: bytes.count, by: 2).map { bytes[$0] }
    self.init(width: width, height: height, pixels: pixels)
  }
}
