// The parameter sets of HEVC (ITU-T H.265, 7.3 and annex E) beside a HEIF picture.

/// The parameter sets of an `hvcC` property.
struct HEVCConfiguration {
  private(set) var parameterSets: [[UInt8]] = []

  init(_ bytes: [UInt8]) throws(Refusal) {
    let reader = ByteReader(bytes: bytes)
    var offset = 23
    for _ in 0..<(reader.integer(at: 22, size: 1) ?? 0) {
      guard let count = reader.integer(at: offset + 1, size: 2) else { throw Self.early }
      offset += 3
      for _ in 0..<count {
        guard let length = reader.integer(at: offset, size: 2), offset + 2 + length <= bytes.count else {
          throw Self.early
        }
        parameterSets.append(Array(bytes[offset + 2..<offset + 2 + length]))
        offset += 2 + length
      }
    }
  }

  private static var early: Refusal { .damaged("its HEVC configuration ends early") }

  /// What the sequence's parameter set tells of range and matrix; limited range and BT.601 where it tells nothing.
  func colour() throws(Refusal) -> ColourMatrix {
    guard let set = parameterSets.first(where: { ($0.first ?? 0) >> 1 & 63 == 33 }) else {
      throw .damaged("its HEVC configuration has no sequence")
    }
    var bits = BitReader(guarded: set.dropFirst(2))
    guard try bits.skipToUsability() else { return try ColourMatrix(ColourMatrix.unspecified, isFullRange: false) }
    if try bits.flag(), try bits.read(8) == 255 { _ = try bits.read(32) }  // The shape of a pixel.
    if try bits.flag() { _ = try bits.read(1) }  // Overscan.
    guard try bits.flag() else { return try ColourMatrix(ColourMatrix.unspecified, isFullRange: false) }
    _ = try bits.read(3)
    let isFullRange = try bits.flag()
    guard try bits.flag() else { return try ColourMatrix(ColourMatrix.unspecified, isFullRange: isFullRange) }
    _ = try bits.read(16)
    return try ColourMatrix(bits.read(8), isFullRange: isFullRange)
  }
}

extension BitReader {
  /// Reads a sequence's parameter set up to its usability information; false when it has none.
  fileprivate mutating func skipToUsability() throws(Refusal) -> Bool {
    _ = try read(4)
    let layers = try read(3)
    _ = try read(1)
    try skipProfile(layers)
    _ = try code()
    if try code() == 3 { _ = try read(1) }
    try skipCodes(2)
    if try flag() { try skipCodes(4) }  // The crop.
    try skipCodes(2)
    let orderBits = try code() + 4
    for _ in (try flag() ? 0 : layers)...layers { try skipCodes(3) }
    try skipCodes(6)
    if try flag(), try flag() { try skipScalingLists() }
    _ = try read(2)
    if try flag() {  // Samples without coding.
      _ = try read(8)
      try skipCodes(2)
      _ = try read(1)
    }
    try skipReferenceSets()
    if try flag() {
      for _ in 0..<(try code()) { _ = try read(min(orderBits, 16) + 1) }
    }
    _ = try read(2)
    return try flag()
  }

  private mutating func skipCodes(_ count: Int) throws(Refusal) {
    for _ in 0..<count { _ = try code() }
  }

  private mutating func skipProfile(_ layers: Int) throws(Refusal) {
    try skip(88 + 8)
    var present: [(profile: Bool, level: Bool)] = []
    for _ in 0..<layers { present.append((try flag(), try flag())) }
    if layers > 0 { try skip(2 * (8 - layers)) }
    for layer in present { try skip((layer.profile ? 88 : 0) + (layer.level ? 8 : 0)) }
  }

  private mutating func skipScalingLists() throws(Refusal) {
    for size in 0..<4 {
      for _ in stride(from: 0, to: 6, by: size == 3 ? 3 : 1) {
        guard try flag() else {
          _ = try code()
          continue
        }
        try skipCodes((size > 1 ? 1 : 0) + min(64, 1 << (4 + 2 * size)))
      }
    }
  }

  private mutating func skipReferenceSets() throws(Refusal) {
    for i in 0..<(try code()) {
      if i > 0, try flag() { throw .unread("a HEIF picture out of a film's stream") }
      let count = try code() + code()
      for _ in 0..<count {
        _ = try code()
        _ = try read(1)
      }
    }
  }
}
