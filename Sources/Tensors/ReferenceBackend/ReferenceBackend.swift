/// Every operation in plain loops, as the documentation of ``Backend`` defines it: what other backends are held to.
///
/// Sums run in float64. Its speed is that of a test; only float32 and bfloat16 tensors are computed on.
public struct ReferenceBackend: HostBackend {
  public var name: String { "reference" }

  /// It holds nothing: any two of them are alike.
  public init() {}
}

extension Tensor {
  /// A tensor of values that were computed in float32, rounded to `dtype`.
  init(_ values: [Float], shape: Shape, dtype: DType) {
    self = Tensor(values, shape: shape).converted(to: dtype)
  }
}
