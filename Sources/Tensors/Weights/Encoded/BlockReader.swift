/// Reads the parts of one block in the order in which they lie, and what they stand for.
///
/// The names of the parts are ggml's: d is a block's scale, m its smallest number, q the codes.
struct BlockReader {
  private let bytes: [UInt8]
  private var position: Int

  init(_ bytes: [UInt8], at position: Int) {
    self.bytes = bytes
    self.position = position
  }

  /// A half, widened.
  mutating func half() -> Float { Float(halfBits: UInt16(truncatingIfNeeded: integer(2))) }

  /// A little-endian integer.
  mutating func integer(_ count: Int) -> UInt32 {
    let first = take(count)
    return (0..<count).reduce(0) { $0 | UInt32(byte(first + $1)) << UInt32(8 * $1) }
  }

  /// The place of the next `count` bytes, which are passed.
  mutating func take(_ count: Int) -> Int {
    defer { position += count }
    return position
  }

  /// The byte at a place.
  func byte(_ place: Int) -> UInt8 { bytes[place] }
}

// MARK: - Blocks of 32

extension BlockReader {
  /// d, 32 signed bytes.
  mutating func bytesWithScale(into y: inout MutableSpan<Float>) {
    let (d, q) = (half(), take(32))
    for i in 0..<32 { y[i] = Float(Int8(bitPattern: byte(q + i))) * d }
  }

  /// d, 16 bytes of two codes: the lower halves are the first 16 numbers.
  mutating func fourBits(into y: inout MutableSpan<Float>) {
    let (d, q) = (half(), take(16))
    for i in 0..<16 {
      y[i] = Float(Int(byte(q + i) & 15) - 8) * d
      y[i + 16] = Float(Int(byte(q + i) >> 4) - 8) * d
    }
  }

  /// d, m, the codes.
  mutating func fourBitsWithLeast(into y: inout MutableSpan<Float>) {
    let (d, m, q) = (half(), half(), take(16))
    for i in 0..<16 {
      y[i] = Float(byte(q + i) & 15) * d + m
      y[i + 16] = Float(byte(q + i) >> 4) * d + m
    }
  }

  /// d, the fifth bits of all codes, the rest of the codes.
  mutating func fiveBits(into y: inout MutableSpan<Float>) {
    let (d, high, q) = (half(), integer(4), take(16))
    for i in 0..<16 {
      y[i] = Float(Int(byte(q + i) & 15) + Int(high >> i & 1) * 16 - 16) * d
      y[i + 16] = Float(Int(byte(q + i) >> 4) + Int(high >> (i + 16) & 1) * 16 - 16) * d
    }
  }

  /// d, m, then as ``fiveBits(into:)``.
  mutating func fiveBitsWithLeast(into y: inout MutableSpan<Float>) {
    let (d, m, high, q) = (half(), half(), integer(4), take(16))
    for i in 0..<16 {
      y[i] = Float(Int(byte(q + i) & 15) + Int(high >> i & 1) * 16) * d + m
      y[i + 16] = Float(Int(byte(q + i) >> 4) + Int(high >> (i + 16) & 1) * 16) * d + m
    }
  }

  /// The numbers that codes of IQ4 stand for.
  private static let table: [Float] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

  /// d, the codes.
  mutating func places(into y: inout MutableSpan<Float>) {
    let d = half()
    places(scale: d, at: 0, into: &y)
  }

  private mutating func places(scale: Float, at first: Int, into y: inout MutableSpan<Float>) {
    let q = take(16)
    for i in 0..<16 {
      y[first + i] = Self.table[Int(byte(q + i) & 15)] * scale
      y[first + i + 16] = Self.table[Int(byte(q + i) >> 4)] * scale
    }
  }
}

// MARK: - Blocks of 256

extension BlockReader {
  /// d; the upper 2 bits of eight scales, the lower 4; the codes.
  mutating func groupsOfPlaces(into y: inout MutableSpan<Float>) {
    let (d, high, low) = (half(), integer(2), take(4))
    for group in 0..<8 {
      let bits = byte(low + group / 2) >> (4 * (group % 2)) & 15
      let scale = Int(bits) | Int(high >> (2 * group) & 3) << 4
      places(scale: d * Float(scale - 32), at: 32 * group, into: &y)
    }
  }

  /// 16 bytes of a scale and a least number, codes of 2 bits, d, the scale of the least numbers.
  mutating func groupsOfTwoBits(into y: inout MutableSpan<Float>) {
    let (scales, q, d, m) = (take(16), take(64), half(), half())
    for group in 0..<16 {
      let bits = byte(scales + group)
      let (scale, least) = (d * Float(bits & 15), m * Float(bits >> 4))
      let (first, shift) = (q + group / 8 * 32 + group % 2 * 16, group % 8 / 2 * 2)
      for i in 0..<16 { y[16 * group + i] = scale * Float(byte(first + i) >> shift & 3) - least }
    }
  }

  /// The third bits of all codes, the other two, sixteen scales of 6 bits, d.
  mutating func groupsOfThreeBits(into y: inout MutableSpan<Float>) {
    let (high, q, scales, d) = (take(32), take(64), take(12), half())
    for group in 0..<16 {
      let lower = byte(scales + group % 8) >> (group < 8 ? 0 : 4) & 15
      let upper = byte(scales + 8 + group % 4) >> (2 * (group / 4)) & 3
      let scale = d * Float(Int(lower | upper << 4) - 32)
      let (first, shift) = (group / 8 * 32 + group % 2 * 16, group % 8 / 2 * 2)
      for i in 0..<16 {
        let third = byte(high + group % 2 * 16 + i) >> (group / 2) & 1
        y[16 * group + i] = scale * Float(Int(byte(q + first + i) >> shift & 3) - (third == 1 ? 0 : 4))
      }
    }
  }

  /// The scale and the least number, 6 bits each, of one of eight groups: twelve bytes hold all.
  private func scaleAndLeast(_ group: Int, in scales: Int) -> (scale: Float, least: Float) {
    if group < 4 { return (Float(byte(scales + group) & 63), Float(byte(scales + group + 4) & 63)) }
    let rest = byte(scales + group + 4)
    return (
      Float(rest & 15 | (byte(scales + group - 4) >> 6) << 4), Float(rest >> 4 | (byte(scales + group) >> 6) << 4)
    )
  }

  /// d, the scale of the least numbers, the scales, the codes: the lower halves of 32 bytes are a group.
  mutating func groupsOfFourBits(into y: inout MutableSpan<Float>) {
    let (d, m, scales, q) = (half(), half(), take(12), take(128))
    for group in 0..<8 {
      let (scale, least) = scaleAndLeast(group, in: scales)
      let (a, b) = (d * scale, m * least)
      for i in 0..<32 {
        y[32 * group + i] = a * Float(byte(q + group / 2 * 32 + i) >> (4 * (group % 2)) & 15) - b
      }
    }
  }

  /// As ``groupsOfFourBits(into:)``, with the fifth bits of all codes in front of the rest.
  mutating func groupsOfFiveBits(into y: inout MutableSpan<Float>) {
    let (d, m, scales, high, q) = (half(), half(), take(12), take(32), take(128))
    for group in 0..<8 {
      let (scale, least) = scaleAndLeast(group, in: scales)
      let (a, b) = (d * scale, m * least)
      for i in 0..<32 {
        let fifth = byte(high + i) >> group & 1
        y[32 * group + i] = a * Float(byte(q + group / 2 * 32 + i) >> (4 * (group % 2)) & 15 | fifth << 4) - b
      }
    }
  }

  /// The lower 4 bits of all codes, the upper 2, sixteen signed scales, d.
  mutating func groupsOfSixBits(into y: inout MutableSpan<Float>) {
    let (low, high, scales, d) = (take(128), take(64), take(16), half())
    for group in 0..<16 {
      let scale = d * Float(Int8(bitPattern: byte(scales + group)))
      let (part, half) = (group % 8 / 2, group / 8)
      for i in 0..<16 {
        let place = group % 2 * 16 + i
        let lower = byte(low + 64 * half + part % 2 * 32 + place) >> (part < 2 ? 0 : 4) & 15
        let upper = byte(high + 32 * half + place) >> (2 * part) & 3
        y[16 * group + i] = scale * Float(Int(lower | upper << 4) - 32)
      }
    }
  }
}
