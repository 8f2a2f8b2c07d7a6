/// Every operation in plain loops, as the documentation of ``Backend`` defines it: what other backends are held to.
///
/// Sums run in float64. Its speed is that of a test; only float32 and bfloat16 tensors are computed on.
public struct ReferenceBackend: HostBackend {
  public var name: String { "reference" }

  public var traits: BackendTraits {
    BackendTraits(memory: .host, precisions: Set(Precision.allCases), usesWeightsInPlace: false)
  }

  /// It holds nothing: any two of them are alike.
  public init() {}
}

extension Tensor {
  /// A tensor of values that were computed in float32, rounded to `dtype`.
  init(_ values: [Float], shape: Shape, dtype: DType) {
    self = Tensor(values, shape: shape).converted(to: dtype)
  }
}

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
    case .relu: x < 0 ? 0 : x
    }
  }

  static func combine(_ x: Float, _ y: Float, _ operation: BinaryOperation) -> Float {
    switch operation {
    case .add: x + y
    case .subtract: x - y
    case .multiply: x * y
    case .divide: x / y
    case .maximum: x.isNaN || y.isNaN ? .nan : max(x, y)
    case .minimum: x.isNaN || y.isNaN ? .nan : min(x, y)
    }
  }

  static func map(_ x: Float, _ operation: UnaryOperation) -> Float {
    switch operation {
    case .exponential: Float(exp(Double(x)))
    case .reciprocalRoot: Float(1 / Double(x).squareRoot())
    case .silu: Float(activate(Double(x), .silu))
    case .gelu: Float(activate(Double(x), .gelu))
    case .relu: Float(activate(Double(x), .relu))
    }
  }

  static func reduce(_ row: ArraySlice<Float>, _ operation: Reduction) -> Float {
    switch operation {
    case .sum: Float(row.reduce(0.0) { $0 + Double($1) })
    case .mean: Float(row.reduce(0.0) { $0 + Double($1) } / Double(row.count))
    case .maximum: row.reduce(-.infinity) { combine($0, $1, .maximum) }
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
