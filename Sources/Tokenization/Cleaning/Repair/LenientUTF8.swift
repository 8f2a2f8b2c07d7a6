/// UTF-8 that may hold supplementary characters as two encoded surrogates (CESU-8) and U+0000 as `C0 80` (Java).
enum LenientUTF8 {
  /// The scalars that `bytes` encode, or nil where they are not UTF-8.
  ///
  /// The lenient forms count only in text with a byte `ED` or `C0`, which ordinary UTF-8 seldom has.
  static func decode(_ bytes: [UInt8]) -> [Unicode.Scalar]? {
    guard bytes.contains(0xED) || bytes.contains(0xC0) else { return strict(bytes[...]) }
    var result: [Unicode.Scalar] = []
    var strictStart = 0
    var position = 0
    while position < bytes.count {
      guard let (scalar, length) = lenientForm(bytes, at: position) else {
        position += 1
        continue
      }
      guard let before = strict(bytes[strictStart..<position]) else { return nil }
      result += before
      result.append(scalar)
      position += length
      strictStart = position
    }
    guard let rest = strict(bytes[strictStart...]) else { return nil }
    return result + rest
  }

  private static func strict(_ bytes: ArraySlice<UInt8>) -> [Unicode.Scalar]? {
    String(validating: bytes, as: UTF8.self).map { Array($0.unicodeScalars) }
  }

  private static func lenientForm(_ bytes: [UInt8], at start: Int) -> (Unicode.Scalar, length: Int)? {
    if bytes[start] == 0xC0, start + 1 < bytes.count {
      let endsText = bytes[start + 1] == 0x0A && start + 2 == bytes.count
      return bytes[start + 1] == 0x80 || endsText ? ("\u{0}", 2) : nil
    }
    guard bytes[start] == 0xED, start + 6 <= bytes.count, bytes[start + 3] == 0xED,
      (0xA0...0xAF).contains(bytes[start + 1]), (0xB0...0xBF).contains(bytes[start + 4]),
      (0x80...0xBF).contains(bytes[start + 2]), (0x80...0xBF).contains(bytes[start + 5])
    else { return nil }
    let high = UInt32(bytes[start + 1] & 0x0F) << 16 | UInt32(bytes[start + 2] & 0x3F) << 10
    let low = UInt32(bytes[start + 4] & 0x0F) << 6 | UInt32(bytes[start + 5] & 0x3F)
    return Unicode.Scalar(0x10000 + (high | low)).map { ($0, 6) }
  }
}
