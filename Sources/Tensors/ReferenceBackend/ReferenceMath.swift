#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Scalar functions of the reference backend, in float64.
enum ReferenceMath {
  static func exponential(_ x: Double) -> Double { exp(x) }

  static func activate(_ x: Double, _ activation: Activation) -> Double {
    switch activation {
    case .none: x
    case .silu: x / (1 + exp(-x))
    case .gelu: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
  }

  /// The sum of products of `count` elements of `a` from `i` and of `b` from `j`.
  static func dot(_ a: [Float], from i: Int, _ b: [Float], from j: Int, count: Int) -> Double {
    precondition(i >= 0 && j >= 0 && i + count <= a.count && j + count <= b.count, "dot product out of range")
    // SAFETY: both ranges were checked above; pointers, because a debug build spends its time here.
    return unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        guard let a = a.baseAddress, let b = b.baseAddress else { return 0 }
        var (sum, k) = (0.0, 0)
        while k < count {
          unsafe sum += Double(a[i + k]) * Double(b[j + k])
          k += 1
        }
        return sum
      }
    }
  }

  /// What a product in `precision` reads: float32 as it is, or rounded to bfloat16.
  static func rounded(_ values: [Float], to precision: Precision) -> [Float] {
    switch precision {
    case .f32: values
    case .bf16, .int8: values.map { BFloat16.widen(BFloat16.round($0)) }
    }
  }
}
