// B batch items, Lq queries, Lk keys, H heads of D elements.

extension ReferenceBackend {
  public func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) -> Tensor {
    let extents = AttentionExtents(q, k, v, options)
    let (q32, keys, values) = (q.floats(), extents.headsFirst(k), extents.headsFirst(v))
    let keyBias = options.keyBias?.floats()
    let relativeBias = options.relativeBias?.floats()
    let (lq, lk, heads, depth) = (extents.queries, extents.keys, extents.heads, extents.depth)
    var y: [Float] = []
    y.reserveCapacity(q.count)
    for item in 0..<extents.batch {
      for query in 0..<lq {
        for head in 0..<heads {
          let offset = ((item * lq + query) * heads + head) * depth
          let first = (item * heads + head) * lk * depth
          let logits = (0..<lk).map { key in
            let product = ReferenceMath.dot(q32, from: offset, keys, from: first + key * depth, count: depth)
            return Double(options.scale) * product + Double(keyBias?[item * lk + key] ?? 0)
              + Double(relativeBias?[head * (lq + lk - 1) + key - query + lq - 1] ?? 0)
          }
          y += weightedSum(softmax(logits), values, from: first, depth: depth)
        }
      }
    }
    return Tensor(y, shape: q.shape, dtype: q.dtype)
  }

  /// exp(x) over its sum; zeros where no key may be seen.
  private func softmax(_ logits: [Double]) -> [Double] {
    guard let largest = logits.max(), largest > -.infinity else { return logits.map { _ in 0 } }
    let weights = logits.map { ReferenceMath.exponential($0 - largest) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  private func weightedSum(_ weights: [Double], _ values: [Float], from first: Int, depth: Int) -> [Float] {
    var sums = [Double](repeating: 0, count: depth)
    for (key, weight) in weights.enumerated() where weight != 0 {
      for d in 0..<depth { sums[d] += weight * Double(values[first + key * depth + d]) }
    }
    return sums.map { Float($0) }
  }
}

/// The extents of an attention, checked against each other.
private struct AttentionExtents {
  let batch, queries, keys, heads, depth: Int

  init(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) {
    let shapes = "q \(q.shape) \(q.dtype), k \(k.shape) \(k.dtype), v \(v.shape) \(v.dtype)"
    precondition(q.shape.rank == 4 && k.shape.rank == 4 && k.shape == v.shape, "attention: \(shapes)")
    precondition(q.dtype == k.dtype && k.dtype == v.dtype, "attention: \(shapes)")
    (batch, queries, keys, heads, depth) = (q.shape[0], q.shape[1], k.shape[1], q.shape[2], q.shape[3])
    precondition(k.shape == [batch, keys, heads, depth], "attention: \(shapes)")
    if let bias = options.keyBias {
      precondition(bias.shape == [batch, keys], "attention: key bias \(bias.shape) for \(shapes)")
    }
    if let bias = options.relativeBias, keys > 0, queries > 0 {
      precondition(
        bias.shape == [heads, queries + keys - 1], "attention: relative bias \(bias.shape) for \(shapes)")
    }
  }

  /// [B, Lk, H, D] -> [B, H, Lk, D]
  func headsFirst(_ x: Tensor) -> [Float] {
    ReferenceBackend().permuted(x, [0, 2, 1, 3]).floats()
  }
}
