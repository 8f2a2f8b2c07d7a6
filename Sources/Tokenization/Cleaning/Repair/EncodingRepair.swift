/// Finds UTF-8 that was read in another encoding, and reads it as UTF-8 (`ftfy.fix_encoding`).
enum EncodingRepair {
  /// Repairs inside repairs stop here; real text needs two or three.
  private static let maximumDepth = 32

  static func repair(
    _ text: [Unicode.Scalar], _ budget: inout RepairBudget
  ) throws(CancellationError) -> [Unicode.Scalar] {
    try repair(text, depth: 0, &budget)
  }

  private static func repair(
    _ text: [Unicode.Scalar], depth: Int, _ budget: inout RepairBudget
  ) throws(CancellationError) -> [Unicode.Scalar] {
    var text = text
    while try budget.takes(text.count) {
      let previous = text
      text = try step(text, depth: depth, &budget)
      if text == previous { break }
    }
    return text
  }

  private static func step(
    _ text: [Unicode.Scalar], depth: Int, _ budget: inout RepairBudget
  ) throws(CancellationError) -> [Unicode.Scalar] {
    if text.allSatisfy(\.isASCII) || !Mojibake.isLikely(text) { return text }
    for page in CodePage.all {
      guard let bytes = page.encode(text) else { continue }
      if let decoded = LenientUTF8.decode(mended(bytes, of: page)) { return decoded }
    }
    let inconsistent = try repairingEmbedded(text, depth: depth, &budget)
    if inconsistent != text { return inconsistent }
    return readingControlsAsWindows(text)
  }

  private static func mended(_ bytes: [UInt8], of page: CodePage) -> [UInt8] {
    var bytes = bytes
    // In Mac Roman the search would find an en dash before a space.
    if page.name != CodePage.macRoman.name { bytes = ByteRepair.restoringNoBreakSpaces(bytes) }
    if page.isSloppy { bytes = ByteRepair.replacingLossySequences(bytes) }
    return bytes
  }

  /// Repairs the parts that look like misread UTF-8 one by one, in text that as a whole is in no one encoding.
  private static func repairingEmbedded(
    _ text: [Unicode.Scalar], depth: Int, _ budget: inout RepairBudget
  ) throws(CancellationError) -> [Unicode.Scalar] {
    guard depth < maximumDepth else { return text }
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    var position = 0
    while position < text.count {
      guard let end = MisreadUTF8.runEnd(text, at: position) else {
        result.append(text[position])
        position += 1
        continue
      }
      let part = Array(text[position..<end])
      // A part as long as the whole would come back here.
      let isRepaired = part.count < text.count && Mojibake.isLikely(part)
      result += isRepaired ? try repair(part, depth: depth + 1, &budget) : part
      position = end
    }
    return result
  }

  /// C1 controls are characters of Windows-1252 that were read as Latin-1.
  private static func readingControlsAsWindows(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    text.map { (0x80...0x9F).contains($0.value) ? CodePage.windows1252.scalar(UInt8($0.value)) : $0 }
  }
}

/// Runs of characters that are UTF-8 sequences when taken as bytes of one of the Windows code pages.
private enum MisreadUTF8 {
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
