/// The precompiled character map of SentencePiece: what to write for which characters.
///
/// A double-array trie (Aoe 1989, in the layout of the darts-clone library) from UTF-8 bytes to offsets into a
/// buffer of NUL-terminated replacements.
struct CharacterMap: Sendable {
  private let units: [UInt32]
  private let replacements: [UInt8]

  /// Parses the size of the trie (32 bits), the trie's 32-bit units and the replacements, all little-endian.
  init(parsing bytes: [UInt8], file: String) throws(TokenizerError) {
    let key = "precompiled_charsmap"
    guard bytes.count >= 4 else { throw .invalid(file: file, key: key, reason: "no trie") }
    let size = Int(Self.word(bytes, 0))
    guard size.isMultiple(of: 4), size > 0, size <= bytes.count - 4 else {
      throw .invalid(file: file, key: key, reason: "a trie of \(size) bytes in a map of \(bytes.count)")
    }
    units = stride(from: 4, to: 4 + size, by: 4).map { Self.word(bytes, $0) }
    replacements = Array(bytes[(4 + size)...])
    guard String(validating: replacements, as: UTF8.self) != nil else {
      throw .invalid(file: file, key: key, reason: "a replacement is not UTF-8")
    }
    guard Self.longestReplacement(replacements) <= TextNormalizer.maximumReplacement else {
      throw .invalid(file: file, key: key, reason: "a replacement of over \(TextNormalizer.maximumReplacement) bytes")
    }
  }

  private static func longestReplacement(_ replacements: [UInt8]) -> Int {
    var (longest, length) = (0, 0)
    for byte in replacements {
      length = byte == 0 ? 0 : length + 1
      longest = max(longest, length)
    }
    return longest
  }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
  }

  /// Writes `text` with every character replaced that the map has.
  ///
  /// A grapheme cluster of fewer than six bytes is looked up as one, and what is found for its shortest prefix
  /// replaces all of it; else each scalar is looked up. This is what the published tokenizer does.
  func apply(_ text: String, _ budget: inout TextBudget) throws(TokenizerError) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    for character in text {
      let start = result.count
      append(character, to: &result)
      try budget.pay(result.count - start)
    }
    return String(decoding: result, as: UTF8.self)
  }

  private func append(_ character: Character, to result: inout [UInt8]) {
    let bytes = Array(character.utf8)
    if bytes.count < 6, let replacement = replacement(bytes[...]) {
      result += replacement
    } else {
      for scalar in character.unicodeScalars {
        let scalarBytes = Array(String(scalar).utf8)
        result += replacement(scalarBytes[...]) ?? scalarBytes[...]
      }
    }
  }

  private func replacement(_ key: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard let start = offset(key), start <= replacements.count else { return nil }
    return replacements[start...].prefix { $0 != 0 }
  }

  /// The value of the shortest prefix of `key` that has one.
  private func offset(_ key: ArraySlice<UInt8>) -> Int? {
    var position = Int(Self.offset(units[0]))
    for byte in key {
      position ^= Int(byte)
      guard byte != 0, position < units.count else { return nil }
      let unit = units[position]
      guard unit & 0x8000_00FF == UInt32(byte) else { return nil }
      position ^= Int(Self.offset(unit))
      if unit & 0x100 != 0 { return position < units.count ? Int(units[position] & 0x7FFF_FFFF) : nil }
    }
    return nil
  }

  private static func offset(_ unit: UInt32) -> UInt32 { (unit >> 10) << ((unit & 0x200) >> 6) }
}

/// Base64 (RFC 4648) with its padding.
enum Base64 {
  /// The bytes that `text` encodes, or nil where it is not base64.
  static func decode(_ text: String) -> [UInt8]? {
    var text = Array(text.utf8)
    guard text.count.isMultiple(of: 4) else { return nil }
    for _ in 0..<2 where text.last == UInt8(ascii: "=") { text.removeLast() }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3 + 2)
    var bits: UInt32 = 0
    var count = 0
    for character in text {
      let value = values[Int(character)]
      guard value < 64 else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      guard count >= 8 else { continue }
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
    }
    return bytes
  }

  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 0xFF, count: 256)
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for (value, character) in alphabet.utf8.enumerated() { values[Int(character)] = UInt8(value) }
    return values
  }()
}
