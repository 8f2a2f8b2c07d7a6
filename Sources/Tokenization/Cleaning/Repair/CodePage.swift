/// A single-byte encoding whose lower half is ASCII.
struct CodePage: Sendable {
  let name: String
  /// Whether bytes that the encoding leaves open mean their Latin-1 character, and byte 1A stands for U+FFFD.
  let isSloppy: Bool
  private let upperHalf: [Unicode.Scalar]
  private let bytes: [UInt32: UInt8]

  private init(_ name: String, isSloppy: Bool, table: String) {
    self.name = name
    self.isSloppy = isSloppy
    var upperHalf = (UInt8(0x80)...0xFF).map { Unicode.Scalar($0) }
    for entry in table.split(separator: " ") {
      let parts = entry.split(separator: "=").compactMap { UInt32($0, radix: 16) }
      if parts.count == 2, let scalar = Unicode.Scalar(parts[1]) { upperHalf[Int(parts[0]) - 0x80] = scalar }
    }
    self.upperHalf = upperHalf
    let pairs = upperHalf.enumerated().map { ($1.value, UInt8($0 + 0x80)) }
    bytes = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  static let latin1 = CodePage("latin-1", isSloppy: false, table: "")
  static let windows1252 = CodePage("windows-1252", isSloppy: true, table: CodePageData.windows1252)
  static let macRoman = CodePage("macroman", isSloppy: false, table: CodePageData.macroman)

  /// The Windows code pages in which UTF-8 is often misread.
  static let windows: [CodePage] = [
    windows1252,
    CodePage("windows-1251", isSloppy: true, table: CodePageData.windows1251),
    CodePage("windows-1250", isSloppy: true, table: CodePageData.windows1250),
    CodePage("windows-1253", isSloppy: true, table: CodePageData.windows1253),
    CodePage("windows-1254", isSloppy: true, table: CodePageData.windows1254),
    CodePage("windows-1257", isSloppy: true, table: CodePageData.windows1257),
  ]

  /// Every encoding that a misread text is tried in, in order.
  static let all: [CodePage] =
    [latin1] + windows + [
      CodePage("iso-8859-2", isSloppy: false, table: CodePageData.iso88592),
      macRoman,
      CodePage("cp437", isSloppy: false, table: CodePageData.cp437),
    ]

  /// What `byte` means.
  func scalar(_ byte: UInt8) -> Unicode.Scalar {
    if byte >= 0x80 { return upperHalf[Int(byte) - 0x80] }
    return isSloppy && byte == 0x1A ? "\u{FFFD}" : Unicode.Scalar(byte)
  }

  /// The bytes of `text`, or nil where a character has none.
  func encode(_ text: [Unicode.Scalar]) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in text {
      guard let byte = byte(scalar) else { return nil }
      result.append(byte)
    }
    return result
  }

  private func byte(_ scalar: Unicode.Scalar) -> UInt8? {
    if scalar.value < 0x80 { return isSloppy && scalar.value == 0x1A ? nil : UInt8(scalar.value) }
    if isSloppy && scalar.value == 0xFFFD { return 0x1A }
    return bytes[scalar.value]
  }
}
