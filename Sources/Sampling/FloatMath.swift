#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Functions of float32 numbers, computed in float64 and rounded once, so that every platform gives the same bits.
enum FloatMath {
  static func ln(_ x: Float) -> Float { Float(log(Double(x))) }

  /// e^x - 1, exact near zero.
  static func expMinusOne(_ x: Float) -> Float { Float(expm1(Double(x))) }

  static func exponential(_ x: Float) -> Float { Float(exp(Double(x))) }
}

/// Functions of float64 numbers.
enum DoubleMath {
  static func ln(_ x: Double) -> Double { log(x) }

  /// ln(1 + x), exact near zero.
  static func lnOnePlus(_ x: Double) -> Double { log1p(x) }

  static func sine(_ x: Double) -> Double { sin(x) }

  static func cosine(_ x: Double) -> Double { cos(x) }
}
