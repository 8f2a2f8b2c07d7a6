/// Runs of characters that are UTF-8 sequences when taken as bytes of one of the Windows code pages.
enum MisreadUTF8 {
  /// End of the run of such sequences that starts at `start`, or nil where none does.
  ///
  /// None starts right after a character that itself looks like a continuation byte: repairing the tail of a
  /// larger garble makes it worse.
  static func runEnd(_ text: [Unicode.Scalar], at start: Int) -> Int? {
    guard leadLength(text[start]) != nil else { return nil }
    if start > 0, strictContinuations.contains(text[start - 1].value) { return nil }
    var end = start
    while end < text.count, let length = leadLength(text[end]), end + length <= text.count,
      text[(end + 1)..<(end + length)].allSatisfy({ continuations.contains($0.value) })
    {
      end += length
    }
    return end > start ? end : nil
  }

  private static func leadLength(_ scalar: Unicode.Scalar) -> Int? {
    scalar.isASCII ? nil : leads[scalar.value]
  }

  /// Length of the sequence that each lead byte begins, by the characters that the byte is read as.
  private static let leads: [UInt32: Int] = {
    var table: [UInt32: Int] = [:]
    for page in CodePage.windows {
      for byte in UInt8(0xC2)...0xDF { table[page.scalar(byte).value] = 2 }
      for byte in UInt8(0xE0)...0xEF { table[page.scalar(byte).value] = 3 }
      for byte in [UInt8(0xF0), 0xF3] { table[page.scalar(byte).value] = 4 }
    }
    return table
  }()

  /// What continuation bytes are read as, and the space that a no-break space may have become.
  private static let continuations: Set<UInt32> = continuationReadings.union([0x20])

  /// Continuations that seldom stand for themselves: no dashes, quotation marks, bullets or ellipses.
  private static let strictContinuations: Set<UInt32> = continuationReadings.subtracting([
    0x2013, 0x2014, 0x2015, 0x2018, 0x2019, 0x201A, 0x201C, 0x201D, 0x201E, 0x2022, 0x2026,
  ])

  private static let continuationReadings: Set<UInt32> = {
    var readings = Set(UInt32(0x80)...0xBF)
    for page in CodePage.windows {
      for byte in UInt8(0x80)...0xBF { readings.insert(page.scalar(byte).value) }
    }
    return readings
  }()
}
