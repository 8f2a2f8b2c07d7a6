import Foundation

/// Repairs of single characters: C1 controls, ligatures, widths, quotes, line ends, terminal escapes, controls.
enum CharacterRepair {
  static func repair(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for scalar in text {
      let value = scalar.value
      if value < 0x80 {
        result.append(scalar)
      } else if value < 0xA0 {
        result.append(straightened(CodePage.windows1252.scalar(UInt8(value))))
      } else if let parts = replacements[value] {
        for part in parts { result.append(straightened(part)) }
      } else {
        result.append(straightened(scalar))
      }
    }
    return withoutControls(withoutTerminalEscapes(withUnixLineEnds(result)))
  }

  /// Latin ligatures and digraphs taken apart, and full- and half-width forms made ordinary.
  private static let replacements: [UInt32: [Unicode.Scalar]] = {
    var table: [UInt32: [Unicode.Scalar]] = [
      0x132: ["I", "J"], 0x133: ["i", "j"], 0x149: ["\u{2BC}", "n"], 0x1F1: ["D", "Z"], 0x1F2: ["D", "z"],
      0x1F3: ["d", "z"], 0x1C4: ["D", "\u{17D}"], 0x1C5: ["D", "\u{17E}"], 0x1C6: ["d", "\u{17E}"],
      0x1C7: ["L", "J"], 0x1C8: ["L", "j"], 0x1C9: ["l", "j"], 0x1CA: ["N", "J"], 0x1CB: ["N", "j"],
      0x1CC: ["n", "j"], 0xFB00: ["f", "f"], 0xFB01: ["f", "i"], 0xFB02: ["f", "l"], 0xFB03: ["f", "f", "i"],
      0xFB04: ["f", "f", "l"], 0xFB05: ["\u{17F}", "t"], 0xFB06: ["s", "t"], 0x3000: [" "],
    ]
    for value in UInt32(0xFF01)...0xFFEF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let ordinary = Array(String(scalar).precomposedStringWithCompatibilityMapping.unicodeScalars)
      if ordinary != [scalar] { table[value] = ordinary }
    }
    return table
  }()

  private static func straightened(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0x2BC, 0x2018...0x201B: "'"
    case 0x201C...0x201F: "\""
    default: scalar
    }
  }

  private static func withUnixLineEnds(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for (index, scalar) in text.enumerated() {
      switch scalar.value {
      case 0x0D:
        let pairs = index + 1 < text.count && text[index + 1] == "\n"
        if !pairs { result.append("\n") }
      case 0x85, 0x2028, 0x2029: result.append("\n")
      default: result.append(scalar)
      }
    }
    return result
  }

  /// Drops `ESC [`, digits and semicolons, one ASCII letter.
  private static func withoutTerminalEscapes(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    guard text.contains("\u{1B}") else { return text }
    var result: [Unicode.Scalar] = []
    var position = 0
    while position < text.count {
      if let end = terminalEscapeEnd(text, at: position) {
        position = end
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return result
  }

  private static func terminalEscapeEnd(_ text: [Unicode.Scalar], at start: Int) -> Int? {
    guard text[start] == "\u{1B}", start + 1 < text.count, text[start + 1] == "[" else { return nil }
    var end = start + 2
    while end < text.count, text[end] == ";" || text[end].properties.generalCategory == .decimalNumber { end += 1 }
    return end < text.count && text[end].isASCIILetter ? end + 1 : nil
  }

  private static func withoutControls(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    text.filter { scalar in
      switch scalar.value {
      case 0x00...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: false
      default: true
      }
    }
  }
}
