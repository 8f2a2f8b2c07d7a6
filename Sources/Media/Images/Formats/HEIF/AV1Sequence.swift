// The sequence header of AV1 (its specification, 5.3 to 5.5), for pictures whose file does not describe their colours.

enum AV1Sequence {
  /// The range and matrix of the first sequence header among these units; nil without one.
  static func colour(in units: [UInt8]) throws(Refusal) -> ColourMatrix? {
    var offset = 0
    while offset < units.count {
      let head = units[offset]
      offset += head & 4 == 0 ? 1 : 2
      let size = head & 2 == 0 ? units.count - offset : Self.size(units, &offset)
      guard size >= 0, size <= units.count - offset else { throw .damaged("its AV1 units end early") }
      if head >> 3 & 15 == 1 {
        var bits = BitReader(plain: units[offset..<offset + size])
        return try bits.sequenceColour()
      }
      offset += size
    }
    return nil
  }

  /// A number in groups of seven bits, the lowest first.
  private static func size(_ bytes: [UInt8], _ offset: inout Int) -> Int {
    var value = 0
    for shift in stride(from: 0, to: 56, by: 7) where offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      value |= Int(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    return -1
  }
}

extension BitReader {
  fileprivate mutating func sequenceColour() throws(Refusal) -> ColourMatrix {
    let profile = try read(3)
    _ = try read(1)
    let isReduced = try flag()
    if isReduced { _ = try read(5) } else { try skipOperatingPoints() }
    let (widthBits, heightBits) = (try read(4) + 1, try read(4) + 1)
    try skip(widthBits + heightBits)
    if !isReduced, try flag() { try skip(7) }  // Frame identifiers.
    try skip(3)
    if !isReduced { try skipTools() }
    try skip(3)
    return try colourConfiguration(profile)
  }

  private mutating func skipOperatingPoints() throws(Refusal) {
    var delayBits: Int?
    if try flag() {  // Timing.
      try skip(64)
      if try flag() { _ = try code() }
      if try flag() {  // A model of the decoder.
        delayBits = try read(5) + 1
        try skip(42)
      }
    }
    let hasDelays = try flag()
    for _ in 0...(try read(5)) {
      try skip(12)
      if try read(5) > 7 { try skip(1) }
      if let delayBits, try flag() { try skip(2 * delayBits + 1) }
      if hasDelays, try flag() { try skip(4) }
    }
  }

  private mutating func skipTools() throws(Refusal) {
    try skip(4)
    let hasOrder = try flag()
    if hasOrder { try skip(2) }
    // Screen content and whole-pixel motion: chosen by frame, or told here.
    let hasScreenContent = if try flag() { true } else { try flag() }
    if hasScreenContent, try !flag() { try skip(1) }
    if hasOrder { try skip(3) }
  }

  private mutating func colourConfiguration(_ profile: Int) throws(Refusal) -> ColourMatrix {
    let isDeep = try flag()
    if profile == 2, isDeep { try skip(1) }
    if profile != 1 { try skip(1) }  // Grey or not.
    guard try flag() else { return try ColourMatrix(ColourMatrix.unspecified, isFullRange: flag()) }
    let (primaries, transfer, matrix) = (try read(8), try read(8), try read(8))
    if primaries == 1, transfer == 13, matrix == 0 { return try ColourMatrix(0, isFullRange: true) }
    return try ColourMatrix(matrix, isFullRange: flag())
  }
}
