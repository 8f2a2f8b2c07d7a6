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

  static func arcTangent(_ x: Double) -> Double { atan(x) }
}

/// Logarithm and sine in float32 as the Cephes library approximates them, with fused multiply-adds.
///
/// torch draws normal numbers on x86 through these approximations. They are good to the last bit or two; they are here
/// because other approximations, better ones included, differ from them in that bit.
enum CephesMath {
  /// ln x of a normal number above 0.
  static func ln(_ x: Float) -> Float {
    var exponent = Float(Int32(x.bitPattern >> 23) - 126)
    let significand = Float(bitPattern: x.bitPattern & 0x7F_FFFF | 0x3F00_0000)  // 0.5..<1
    var t = significand - 1
    if significand < 0.707106781186547524 {
      exponent -= 1
      t += significand
    }
    let z = t * t
    var y = polynomial(logarithm, at: t) * t
    y = fused(y, z, plus: exponent * -2.12194440e-4)
    y = fused(z, -0.5, plus: y)
    return fused(exponent, 0.693359375, plus: t + y)  // ln 2 in two parts, the coarse one last
  }

  /// Sine and cosine of an angle in 0..<8192.
  static func sineAndCosine(_ angle: Float) -> (sine: Float, cosine: Float) {
    let octant = (Int32(angle * 1.27323954473516) + 1) & ~1
    let turns = Float(octant)
    var x = angle
    for part: Float in [-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8] {  // pi / 4 in three parts
      x = fused(turns, part, plus: x)
    }
    let z = x * x
    let even = fused(polynomial(cosine, at: z) * z, z, plus: -(z * 0.5)) + 1
    let odd = fused(polynomial(sine, at: z) * z, x, plus: x)
    let (s, c) = octant & 2 == 0 ? (odd, even) : (even, odd)
    return (octant & 4 == 0 ? s : -s, (octant - 2) & 4 == 0 ? -c : c)
  }

  private static let logarithm: [Float] = [
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
    2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
  ]
  private static let sine: [Float] = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]
  private static let cosine: [Float] = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]

  private static func polynomial(_ coefficients: [Float], at x: Float) -> Float {
    var y: Float = 0
    for coefficient in coefficients { y = fused(y, x, plus: coefficient) }
    return y
  }

  /// a b + c, rounded once.
  private static func fused(_ a: Float, _ b: Float, plus c: Float) -> Float {
    c.addingProduct(a, b)
  }
}
