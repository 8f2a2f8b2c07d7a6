import Layers
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A learned bias on attention logits by the distance from query to key: `T5RelativeEmbedding` in `t5.py`.
///
/// Near distances have a bucket each, far ones share buckets that widen with the logarithm; half of the buckets are
/// for keys behind the query.
struct RelativePositions: Sendable {
  private let table: Tensor  // [buckets, H]
  private let buckets, maximumDistance: Int
  private let backend: any Backend

  init(_ w: Weights, _ configuration: TextEncoderConfiguration) {
    backend = w.backend
    table = w.parameter("weight", [configuration.buckets, configuration.heads])
    buckets = configuration.buckets
    maximumDistance = configuration.maximumDistance
  }

  /// [H, 2 L - 1]: entry key - query + L - 1.
  func bias(tokens: Int) -> Tensor {
    let indices = (0..<2 * tokens - 1).map { Int32(bucket(distance: $0 - tokens + 1)) }
    return backend.permuted(backend.gather(table, indices: indices, output: .f32), [1, 0])
  }

  /// Computed in float32 as published: a bucket's edge must not move.
  private func bucket(distance: Int) -> Int {
    let side = buckets / 2
    let base = distance > 0 ? side : 0
    let distance = abs(distance)
    let exact = side / 2
    if distance < exact { return base + distance }
    let spread = logf(Float(distance) / Float(exact)) / Float(log(Double(maximumDistance) / Double(exact)))
    return base + min(side - 1, exact + Int(spread * Float(side - exact)))
  }
}
