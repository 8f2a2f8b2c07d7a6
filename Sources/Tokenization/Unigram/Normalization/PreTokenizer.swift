/// A step of how a tokenizer cuts normalised text before the model sees it.
enum PreTokenizer: Sendable {
  enum PrependScheme: String, Sendable {
    case always, first, never
  }

  /// Spaces become `replacement`, which also goes in front, and each piece but the first starts with one.
  case metaspace(replacement: [UInt8], prepend: PrependScheme, splits: Bool)
  case whitespaceSplit

  /// A part of a text, and whether it is where the text begins.
  struct Part {
    var bytes: [UInt8]
    var beginsText: Bool
  }

  fileprivate func split(_ part: Part, _ budget: inout TextBudget) throws(TokenizerError) -> [Part] {
    switch self {
    case .metaspace(let replacement, let prepend, let splits):
      let text = try Self.metaspaced(part, replacement, prepend, &budget)
      return splits ? Self.cut(text, before: replacement) : [text]
    case .whitespaceSplit: return Self.words(part)
    }
  }

  private static func metaspaced(
    _ part: Part, _ replacement: [UInt8], _ prepend: PrependScheme, _ budget: inout TextBudget
  ) throws(TokenizerError) -> Part {
    guard !part.bytes.isEmpty else { return part }
    var bytes = try ReplacementPattern.literal([0x20]).replace(part.bytes, with: replacement, &budget)
    let prepends = prepend == .always || (prepend == .first && part.beginsText)
    if prepends && !bytes.starts(with: replacement) { bytes = replacement + bytes }
    return Part(bytes: bytes, beginsText: part.beginsText)
  }

  private static func cut(_ part: Part, before mark: [UInt8]) -> [Part] {
    var parts: [Part] = []
    var start = 0
    for position in 1..<max(part.bytes.count, 1)
    where part.bytes[position] == mark[0] && part.bytes[position...].starts(with: mark) {
      parts.append(Part(bytes: Array(part.bytes[start..<position]), beginsText: part.beginsText && start == 0))
      start = position
    }
    guard start < part.bytes.count else { return parts }
    parts.append(Part(bytes: Array(part.bytes[start...]), beginsText: part.beginsText && start == 0))
    return parts
  }

  private static func words(_ part: Part) -> [Part] {
    let scalars = String(decoding: part.bytes, as: UTF8.self).unicodeScalars
    return scalars.split(whereSeparator: \.properties.isWhitespace).map { word in
      Part(bytes: Array(String(word).utf8), beginsText: part.beginsText && word.startIndex == scalars.startIndex)
    }
  }
}

extension [PreTokenizer] {
  /// Bytes that a part counts as beside its own: steps can cut a text into ever more parts.
  private static var partWeight: Int { 16 }

  /// Cuts a text by every step, each working on what the one before it left.
  func split(_ text: PreTokenizer.Part, _ budget: inout TextBudget) throws(TokenizerError) -> [PreTokenizer.Part] {
    var parts = [text]
    for (index, step) in enumerated() {
      budget.begin("pre_tokenizer", step: index)
      var cut: [PreTokenizer.Part] = []
      for part in parts {
        let pieces = try step.split(part, &budget)
        for piece in pieces { try budget.pay(piece.bytes.count + Self.partWeight) }
        cut += pieces
      }
      parts = cut
    }
    return parts
  }
}
