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
