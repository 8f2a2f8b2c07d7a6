/// Repairs of bytes that would be UTF-8 but for what was lost on the way.
enum ByteRepair {
  typealias Bytes = ArraySlice<UInt8>

  /// Puts back the no-break spaces (byte A0) that became spaces (byte 20) inside what else is UTF-8.
  static func restoringNoBreakSpaces(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(0x20) else { return bytes }
    return replacing(replacing(bytes, aloneGrave), spaced)
  }

  /// Makes U+FFFD of each UTF-8 sequence in which byte 1A, or one `?`, stands for a lost byte.
  static func replacingLossySequences(_ bytes: [UInt8]) -> [UInt8] {
    replacing(bytes) { rest in lossyLength(rest).map { ($0, [0xEF, 0xBF, 0xBD]) } }
  }

  private static func replacing(_ bytes: [UInt8], _ match: (Bytes) -> (Int, [UInt8])?) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      if let (length, replacement) = match(bytes[position...]) {
        result += replacement
        position += length
      } else {
        result.append(bytes[position])
        position += 1
      }
    }
    return result
  }

  /// `C3 20` is a word `à` of its own, unless one of the Portuguese contractions follows.
  private static func aloneGrave(_ rest: Bytes) -> (Int, [UInt8])? {
    guard byte(rest, 0) == 0xC3, byte(rest, 1) == 0x20 else { return nil }
    let following = rest.dropFirst(2)
    let contractions = [" ", "quele", "quela", "quilo", "s "]
    if contractions.contains(where: { following.starts(with: $0.utf8) }) { return nil }
    return (2, [0xC3, 0xA0, 0x20])
  }

  private static func spaced(_ rest: Bytes) -> (Int, [UInt8])? {
    spacedLength(rest).map { length in (length, rest.prefix(length).map { $0 == 0x20 ? 0xA0 : $0 }) }
  }

  /// Length of a UTF-8 sequence at the start with one byte A0 turned into a space, where that is a likely reading.
  private static func spacedLength(_ rest: Bytes) -> Int? {
    let lead = byte(rest, 0)
    switch lead {
    case 0xC2, 0xC3, 0xC5, 0xCE, 0xD0, 0xD9: return byte(rest, 1) == 0x20 ? 2 : nil
    case 0xE0...0xE3:
      let (first, second) = (byte(rest, 1), byte(rest, 2))
      if lead >= 0xE2, first == 0x20, isPlainContinuation(second) { return 3 }
      return isPlainContinuation(first) && second == 0x20 ? 3 : nil
    case 0xF0:
      let tail = (1...3).map { byte(rest, $0) }
      let spaces = tail.count { $0 == 0x20 }
      return spaces == 1 && tail.allSatisfy { $0 == 0x20 || isContinuation($0) } ? 4 : nil
    default: return nil
    }
  }

  private static func lossyLength(_ rest: Bytes) -> Int? {
    let lead = byte(rest, 0)
    guard lead == 0x1A || lead >= 0xC2 else { return nil }
    let tail = (1...5).map { byte(rest, $0) }
    func isLost(_ value: Int) -> Bool { value == 0x1A || value == 0x3F }
    func isKept(_ value: Int) -> Bool { value == 0x1A || isContinuation(value) }
    /// One byte is lost, perhaps written `?`; the others may be lost as 1A.
    func loses(_ count: Int) -> Bool {
      (0..<count).contains { lost in
        (0..<count).allSatisfy { $0 == lost ? isLost(tail[$0]) : isKept(tail[$0]) }
      }
    }
    if (0xC2...0xDF).contains(lead), tail[0] == 0x1A { return 2 }
    if (0xC2...0xC3).contains(lead), tail[0] == 0x3F { return 2 }
    if lead == 0xED, (0xA0...0xAF).contains(tail[0]), tail[2] == 0xED, (0xB0...0xBF).contains(tail[3]) {
      if isLost(tail[1]), isLost(tail[4]) || isContinuation(tail[4]) { return 6 }
      if isLost(tail[4]), isContinuation(tail[1]) { return 6 }
    }
    if (0xE0...0xEF).contains(lead), loses(2) { return 3 }
    if (0xF0...0xF4).contains(lead), loses(3) { return 4 }
    return lead == 0x1A ? 1 : nil
  }

  /// The byte `offset` after the start, or -1 past the end.
  private static func byte(_ rest: Bytes, _ offset: Int) -> Int {
    let index = rest.startIndex + offset
    return index < rest.endIndex ? Int(rest[index]) : -1
  }

  private static func isContinuation(_ value: Int) -> Bool { (0x80...0xBF).contains(value) }

  /// A continuation byte that is neither a no-break space nor an ellipsis of Windows-1252.
  private static func isPlainContinuation(_ value: Int) -> Bool {
    isContinuation(value) && value != 0x85 && value != 0xA0
  }
}

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
