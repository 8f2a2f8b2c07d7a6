/// Puts numbers into blocks of small codes: the other way of ``BlockReader``, whose names it uses.
///
/// What is rounded and how is ggml's reference for the blocks of 32 (https://github.com/ggml-org/ggml, `ggml-quants.c`, and
/// its Python package), bit for bit.
struct BlockWriter {
  private(set) var bytes: [UInt8] = []

  init(reserving count: Int) { bytes.reserveCapacity(count) }

  mutating func half(_ value: Float) { integer(UInt32(value.halfBits), 2) }

  /// The lower bytes of an integer, little-endian.
  mutating func integer(_ value: UInt32, _ count: Int) {
    for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * i))) }
  }

  mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

  /// 16 bytes of two codes each: the lower halves are the first 16.
  private mutating func halves(_ codes: [UInt8]) {
    for i in 0..<16 { bytes.append(codes[i] & 15 | codes[i + 16] << 4) }
  }

  /// The fifth bits of 32 codes.
  private func fifthBits(_ codes: [UInt8]) -> UInt32 {
    codes.indices.reduce(0) { $0 | UInt32(codes[$1] >> 4) << UInt32($1) }
  }
}

// MARK: - Blocks of 32

extension BlockWriter {
  mutating func bytesWithScale(_ x: Span<Float>) {
    let d = Self.largest(x).magnitude / 127
    let inverse = Self.inverse(of: d)
    half(d)
    for i in 0..<32 { bytes.append(UInt8(bitPattern: Int8((x[i] * inverse).rounded()))) }
  }

  mutating func fourBits(_ x: Span<Float>) {
    let codes = Self.signed(x, levels: 8, writing: &self)
    halves(codes)
  }

  mutating func fiveBits(_ x: Span<Float>) {
    let codes = Self.signed(x, levels: 16, writing: &self)
    integer(fifthBits(codes), 4)
    halves(codes)
  }

  mutating func fourBitsWithLeast(_ x: Span<Float>) {
    let codes = Self.fromLeast(x, levels: 15, writing: &self)
    halves(codes)
  }

  mutating func fiveBitsWithLeast(_ x: Span<Float>) {
    let codes = Self.fromLeast(x, levels: 31, writing: &self)
    integer(fifthBits(codes), 4)
    halves(codes)
  }

  /// 0 where a scale is so small that it has none; halves do not hold it either.
  private static func inverse(of d: Float) -> Float { d == 0 || !(1 / d).isFinite ? 0 : 1 / d }

  /// The first of the numbers that are farthest from zero.
  private static func largest(_ x: Span<Float>) -> Float {
    var largest: Float = 0
    for i in 0..<x.count where x[i].magnitude > largest.magnitude { largest = x[i] }
    return largest
  }

  /// The farthest number becomes the lowest code, whose range is one longer.
  private static func signed(_ x: Span<Float>, levels: Int, writing block: inout BlockWriter) -> [UInt8] {
    let d = largest(x) / Float(-levels)
    let inverse = Double(inverse(of: d))
    block.half(d)
    return (0..<32).map { i in
      let place = (Double(x[i]) * inverse + Double(levels) + 0.5).rounded(.towardZero)
      return UInt8(min(max(Float(place), 0), Float(2 * levels - 1)))
    }
  }

  private static func fromLeast(_ x: Span<Float>, levels: Int, writing block: inout BlockWriter) -> [UInt8] {
    var (least, most) = (x[0], x[0])
    for i in 1..<32 { (least, most) = (min(least, x[i]), max(most, x[i])) }
    let d = (most - least) / Float(levels)
    let inverse = inverse(of: d)
    block.half(d)
    block.half(least)
    return (0..<32).map { i in
      UInt8(min(max(((x[i] - least) * inverse + 0.5).rounded(.towardZero), 0), Float(levels)))
    }
  }
}
