/// The numbers of floats of a byte and less, by their codes.
public enum SmallFloat {
  /// 256 numbers; codes 127 and 255 are NaN.
  public static let e4m3: [Float] = (0..<256).map { code in
    let (exponent, fraction) = (code >> 3 & 15, Float(code & 7))
    let size =
      exponent == 15 && fraction == 7
      ? Float.nan : exponent == 0 ? fraction * 0x1p-9 : (1 + fraction / 8) * power(exponent - 7)
    return code < 128 ? size : -size
  }

  /// 256 numbers, infinities and NaN as a half has them.
  public static let e5m2: [Float] = (0..<256).map { Float(halfBits: UInt16($0) << 8) }

  /// 16 numbers.
  public static let e2m1: [Float] = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6]

  /// 256 powers of two, 2^(code - 127), for scales; code 255 is NaN.
  public static let e8m0: [Float] = (0..<256).map { $0 == 255 ? .nan : power($0 - 127) }

  private static func power(_ exponent: Int) -> Float {
    Float(sign: .plus, exponent: exponent, significand: 1)
  }

  /// The code of ``ElementCoding/e4m3`` nearest to a number: ties go to the even code, what is too large to 448, NaN to NaN.
  public static func e4m3Code(_ value: Float) -> UInt8 {
    let sign: UInt8 = value.sign == .minus ? 0x80 : 0
    if value.isNaN { return sign | 0x7F }
    let size = min(value.magnitude, 448)
    // Below 2^-6 there is no leading one; the code is the number of 2^-9.
    if size < 0x1p-6 { return sign | UInt8((size * 0x1p9).rounded(.toNearestOrEven)) }
    let bits = size.bitPattern
    let rounded = bits &+ 0x7FFFF &+ (bits >> 20 & 1)
    return sign | UInt8(truncatingIfNeeded: (rounded >> 20) &- (120 << 3))
  }
}
