import Tensors

extension BackendConformance {
  /// Sizes of an attention.
  private struct Sizes: Sendable {
    let batch, queries, keys, heads, dimension: Int

    init(_ batch: Int, _ queries: Int, _ keys: Int, _ heads: Int, _ dimension: Int) {
      (self.batch, self.queries, self.keys, self.heads, self.dimension) = (batch, queries, keys, heads, dimension)
    }

    var name: String { "[\(batch), \(queries), \(heads), \(dimension)] to \(keys)" }
  }

  /// Which biases there are.
  private enum Biases: Sendable, CaseIterable { case none, key, relative, both }

  static func attentions() -> [Case] {
    let plain = [
      Sizes(1, 1, 1, 1, 1), Sizes(2, 3, 5, 2, 7), Sizes(1, 65, 130, 2, 16), Sizes(1, 7, 0, 3, 4),
      Sizes(1, 17, 33, 1, 128), Sizes(1, 3, 70, 1, 96), Sizes(2, 130, 67, 1, 8),
    ]
    let biased = [Sizes(1, 1, 1, 2, 3), Sizes(2, 5, 11, 3, 8), Sizes(1, 67, 67, 2, 20)]
    let inBytes = [Sizes(2, 3, 5, 2, 7), Sizes(1, 65, 300, 2, 16), Sizes(1, 130, 67, 1, 128)]
    return [DType.f32, .bf16].flatMap { dtype in
      plain.map { attention($0, dtype, .none) }
        + [Biases.none, .key].flatMap { biases in inBytes.map { attention($0, dtype, biases, allowsBytes: true) } }
        + Biases.allCases.flatMap { biases in biased.map { attention($0, dtype, biases) } }
    }
  }

  private static func attention(_ sizes: Sizes, _ dtype: DType, _ biases: Biases, allowsBytes: Bool = false) -> Case {
    let name = "attention \(sizes.name) \(dtype.rawValue), biases \(biases)" + (allowsBytes ? ", in bytes" : "")
    return Case(name, allowsBytes ? Tolerance.bytes : Tolerance.of(dtype)) { backend in
      let (b, h, d) = (sizes.batch, sizes.heads, sizes.dimension)
      let q = backend.random([b, sizes.queries, h, d], seed: 11, dtype: dtype)
      let k = backend.random([b, sizes.keys, h, d], seed: 12, dtype: dtype)
      let v = backend.random([b, sizes.keys, h, d], seed: 13, dtype: dtype)
      var keyBias = Tensor.random([b, sizes.keys], seed: 14).floats()
      // Some keys count for nothing.
      for i in stride(from: 1, to: keyBias.count, by: 3) { keyBias[i] = -.infinity }
      let relative = backend.random([h, max(0, sizes.queries + sizes.keys - 1)], seed: 15)
      let options = AttentionOptions(
        scale: 1 / Float(d).squareRoot(),
        keyBias: biases == .key || biases == .both ? backend.tensor(keyBias, [b, sizes.keys]) : nil,
        relativeBias: biases == .relative || biases == .both ? relative : nil, allowsBytes: allowsBytes)
      return backend.attention(q, k, v, options)
    }
  }
}
