// Blocks of 256 numbers in groups of 16 or 32. Each group has a scale, some a least number, which are small numbers
// themselves, times a scale of the block. Codes are chosen for the scales as they are stored.

extension BlockWriter {
  /// The scale and the least number of each group, put into whole numbers from 0 to `most`, and their own scales.
  private struct Scales {
    /// As halves will give them back.
    let d, m: Float
    var scales: [UInt8] = []
    var leasts: [UInt8] = []

    init(_ x: Span<Float>, width: Int, levels: Float, most: Float) {
      let fits = stride(from: 0, to: x.count, by: width).map { GroupFit(x.extracting($0..<$0 + width), levels: levels) }
      let (scale, least) = (fits.map(\.scale).max() ?? 0, fits.map(\.least).max() ?? 0)
      d = Float(halfBits: (scale / most).halfBits)
      m = Float(halfBits: (least / most).halfBits)
      for fit in fits {
        scales.append(Self.whole(fit.scale, d, most))
        leasts.append(Self.whole(fit.least, m, most))
      }
    }

    private static func whole(_ value: Float, _ unit: Float, _ most: Float) -> UInt8 {
      unit > 0 ? UInt8(min((value / unit).rounded(.toNearestOrEven), most)) : 0
    }

    /// The codes of all numbers.
    func codes(_ x: Span<Float>, levels: Float) -> [UInt8] {
      let width = x.count / scales.count
      var codes = [UInt8](repeating: 0, count: x.count)
      for group in scales.indices {
        let (scale, least) = (d * Float(scales[group]), m * Float(leasts[group]))
        guard scale > 0, scale.isFinite else { continue }
        for i in width * group..<width * (group + 1) {
          codes[i] = UInt8(((x[i] + least) / scale).nearestWhole(0, levels))
        }
      }
      return codes
    }
  }

  mutating func groupsOfTwoBits(_ x: Span<Float>) {
    let fit = Scales(x, width: 16, levels: 3, most: 15)
    let codes = fit.codes(x, levels: 3)
    append(zip(fit.scales, fit.leasts).map { $0 | $1 << 4 })
    append(Self.quarters(codes))
    half(fit.d)
    half(fit.m)
  }

  /// Codes of 2 bits: byte i of a half of 128 has those of i, i + 32, i + 64 and i + 96.
  private static func quarters(_ codes: [UInt8]) -> [UInt8] {
    (0..<64).map { place in
      let first = place / 32 * 128 + place % 32
      return (0..<4).reduce(0) { $0 | (codes[first + 32 * $1] & 3) << UInt8(2 * $1) }
    }
  }

  mutating func groupsOfFourBits(_ x: Span<Float>) {
    let fit = Scales(x, width: 32, levels: 15, most: 63)
    front(fit)
    append(Self.pairs(fit.codes(x, levels: 15)))
  }

  mutating func groupsOfFiveBits(_ x: Span<Float>) {
    let fit = Scales(x, width: 32, levels: 31, most: 63)
    let codes = fit.codes(x, levels: 31)
    front(fit)
    append((0..<32).map { i in (0..<8).reduce(0) { $0 | (codes[32 * $1 + i] >> 4) << UInt8($1) } })
    append(Self.pairs(codes))
  }

  /// Codes of 4 bits: byte i of 64 has those of i and i + 32.
  private static func pairs(_ codes: [UInt8]) -> [UInt8] {
    (0..<128).map { place in
      let first = place / 32 * 64 + place % 32
      return codes[first] & 15 | (codes[first + 32] & 15) << 4
    }
  }

  /// d, the scale of the least numbers, and eight scales and least numbers of 6 bits in twelve bytes.
  private mutating func front(_ fit: Scales) {
    half(fit.d)
    half(fit.m)
    let (scales, leasts) = (fit.scales, fit.leasts)
    append((0..<4).map { scales[$0] | (scales[$0 + 4] >> 4) << 6 })
    append((0..<4).map { leasts[$0] | (leasts[$0 + 4] >> 4) << 6 })
    append((4..<8).map { scales[$0] & 15 | (leasts[$0] & 15) << 4 })
  }

  /// Sixteen signed scales of a block, put into whole numbers from -most, and their own scale.
  private static func signedScales(_ x: Span<Float>, levels: Float, most: Float) -> (d: Float, scales: [Int]) {
    let fits = (0..<16).map { GroupFit(x.extracting(16 * $0..<16 * ($0 + 1)), signedLevels: levels).scale }
    let largest = fits.max { $0.magnitude < $1.magnitude } ?? 0
    let d = Float(halfBits: (largest / -most).halfBits)
    guard d != 0 else { return (0, Array(repeating: 0, count: 16)) }
    return (d, fits.map { Int(min(max(($0 / d).rounded(.toNearestOrEven), -most), most - 1)) })
  }

  /// Codes of 0..<2 levels of all numbers, `levels` standing for zero.
  private static func signedCodes(_ x: Span<Float>, _ d: Float, _ scales: [Int], levels: Float) -> [UInt8] {
    var codes = [UInt8](repeating: UInt8(levels), count: x.count)
    for group in scales.indices {
      let scale = d * Float(scales[group])
      guard scale != 0, scale.isFinite else { continue }
      for i in 16 * group..<16 * (group + 1) {
        codes[i] = UInt8((x[i] / scale).nearestWhole(-levels, levels - 1) + levels)
      }
    }
    return codes
  }

  mutating func groupsOfThreeBits(_ x: Span<Float>) {
    let (d, scales) = Self.signedScales(x, levels: 4, most: 32)
    let codes = Self.signedCodes(x, d, scales, levels: 4)
    append((0..<32).map { i in (0..<8).reduce(0) { $0 | (codes[32 * $1 + i] >> 2) << UInt8($1) } })
    append(Self.quarters(codes))
    let whole = scales.map { UInt8($0 + 32) }
    append((0..<8).map { whole[$0] & 15 | (whole[$0 + 8] & 15) << 4 })
    append((0..<4).map { i in (0..<4).reduce(0) { $0 | (whole[i + 4 * $1] >> 4) << UInt8(2 * $1) } })
    half(d)
  }

  mutating func groupsOfSixBits(_ x: Span<Float>) {
    let (d, scales) = Self.signedScales(x, levels: 32, most: 128)
    let codes = Self.signedCodes(x, d, scales, levels: 32)
    append(
      (0..<128).map { place in
        let first = place / 64 * 128 + place % 64
        return codes[first] & 15 | (codes[first + 64] & 15) << 4
      })
    append(
      (0..<64).map { place in
        let first = place / 32 * 128 + place % 32
        return (0..<4).reduce(0) { $0 | (codes[first + 32 * $1] >> 4) << UInt8(2 * $1) }
      })
    append(scales.map { UInt8(bitPattern: Int8($0)) })
    half(d)
  }
}

extension ElementCoding {
  /// Whether numbers can be put into it.
  public var isWritten: Bool {
    switch self {
    case .e4m3, .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .q2_K, .q3_K, .q4_K, .q5_K, .q6_K: true
    case .e5m2, .e2m1, .iq4_NL, .iq4_XS: false
    }
  }

  /// The codes nearest to numbers, none of them beyond 1e30; traps for a coding that is not ``isWritten``, and for numbers
  /// that fill no whole blocks.
  ///
  /// The blocks of 32 are those that ggml's reference makes; those of 256 are fitted by least squares. What is too large
  /// for a block's half-precision scale becomes infinite.
  public func encode(_ numbers: Span<Float>) -> [UInt8] {
    let block = block
    precondition(isWritten && numbers.count % block.elements == 0, "\(rawValue): \(numbers.count) numbers")
    var writer = BlockWriter(reserving: numbers.count / block.elements * block.bytes)
    for start in stride(from: 0, to: numbers.count, by: block.elements) {
      let x = numbers.extracting(start..<start + block.elements)
      switch self {
      case .e4m3: writer.append([SmallFloat.e4m3Code(x[0])])
      case .q8_0: writer.bytesWithScale(x)
      case .q4_0: writer.fourBits(x)
      case .q4_1: writer.fourBitsWithLeast(x)
      case .q5_0: writer.fiveBits(x)
      case .q5_1: writer.fiveBitsWithLeast(x)
      case .q2_K: writer.groupsOfTwoBits(x)
      case .q3_K: writer.groupsOfThreeBits(x)
      case .q4_K: writer.groupsOfFourBits(x)
      case .q5_K: writer.groupsOfFiveBits(x)
      case .q6_K: writer.groupsOfSixBits(x)
      case .e5m2, .e2m1, .iq4_NL, .iq4_XS: preconditionFailure("\(rawValue) is not written")
      }
    }
    return writer.bytes
  }
}
