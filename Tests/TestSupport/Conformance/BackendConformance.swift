public import Tensors

/// Every operation of `Backend` on random data over odd shapes, against the reference backend.
///
/// The expected results are computed once and serve any number of backends.
public struct BackendConformance: Sendable {
  /// One call of one operation.
  public struct Case: Sendable {
    public let name: String
    /// The largest relative L2 error.
    public let tolerance: Double
    /// The largest relative L2 error of a backend that computes products of bytes as products of bfloat16.
    public let toleranceWithoutBytes: Double
    let evaluate: @Sendable (any Backend) -> Tensor

    init(
      _ name: String, _ tolerance: Double, withoutBytes: Double? = nil,
      _ evaluate: @escaping @Sendable (any Backend) -> Tensor
    ) {
      self.name = name
      self.tolerance = tolerance
      toleranceWithoutBytes = withoutBytes ?? tolerance
      self.evaluate = evaluate
    }
  }

  /// What a backend made of a case.
  public struct Outcome: Sendable, Hashable, CustomStringConvertible {
    public let name: String
    public let error: Double
    public let tolerance: Double
    /// Equal for equal bytes.
    public let checksum: UInt64

    public var passes: Bool { error <= tolerance }
    public var description: String { "\(name): relative error \(error), allowed \(tolerance)" }
  }

  /// The bounds: sums of float32 in another order, one rounding to bfloat16, and roundings to bytes.
  enum Tolerance {
    static let exact = 0.0
    static let float32 = 5e-6
    static let bfloat16 = 1e-2
    static let bytes = 2e-2

    static func of(_ dtype: DType) -> Double { dtype == .bf16 ? bfloat16 : float32 }
  }

  public let cases: [Case]
  private let expected: [Tensor]

  public init() {
    cases =
      Self.linears() + Self.quantizedLinears() + Self.convolutions() + Self.attentions() + Self.norms()
      + Self.elementwise() + Self.layouts() + Self.primitives()
    let reference = ReferenceBackend()
    expected = cases.map { $0.evaluate(reference) }
  }

  /// Runs every case on `backend`, held to products of bytes where its traits claim them.
  ///
  /// - Throws: what the backend throws when it gives a result to the host.
  public func outcomes(of backend: any Backend) throws -> [Outcome] {
    let multipliesBytes = backend.traits.precisions.contains(.int8)
    return try zip(cases, expected).map { item, expected in
      let result = try backend.host(item.evaluate(backend))
      let error = result.dtype == expected.dtype ? relativeError(result, expected) : .infinity
      let tolerance = multipliesBytes ? item.tolerance : item.toleranceWithoutBytes
      return Outcome(name: item.name, error: error, tolerance: tolerance, checksum: checksum(result))
    }
  }

  /// FNV-1a over the bytes.
  private func checksum(_ tensor: Tensor) -> UInt64 {
    let elements =
      switch tensor.dtype.byteCount {
      case 1: tensor.bits8
      case 2: tensor.bits16
      default: tensor.bits32
      }
    return elements.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}

extension Backend {
  /// Random numbers where the backend computes.
  func random(_ shape: Shape, seed: UInt64, scale: Float = 1, dtype: DType = .f32) -> Tensor {
    resident(.random(shape, seed: seed, scale: scale, dtype: dtype))
  }
}

extension Tensor {
  fileprivate var bits8: [UInt32] {
    withSpan(of: UInt8.self) { span in span.indices.map { UInt32(span[$0]) } }
  }

  fileprivate var bits16: [UInt32] {
    withSpan(of: UInt16.self) { span in span.indices.map { UInt32(span[$0]) } }
  }

  fileprivate var bits32: [UInt32] {
    withSpan(of: UInt32.self) { span in span.indices.map { span[$0] } }
  }
}
