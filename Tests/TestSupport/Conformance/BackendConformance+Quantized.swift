import Tensors

extension BackendConformance {
  /// Sums of bytes are exact and scales are rounded alike everywhere, so that only the activation may differ.
  private static let tolerance = 1e-6

  static func quantizedLinears() -> [Case] {
    let shapes = [(1, 1, 1), (5, 7, 17), (97, 33, 1), (1, 512, 300), (5, 1030, 17), (97, 7, 259), (200, 1, 33)]
    var cases = [quantizedValues(.f32), quantizedValues(.bf16), quantizedScales(.f32), quantizedScales(.bf16)]
    for (m, k, n) in shapes {
      cases += [
        linear(m, k, n, from: .f32, activation: .none), linear(m, k, n, from: .bf16, activation: .gelu),
        linear(m, k, n, from: .bf16, activation: .silu, output: .bf16),
      ]
    }
    return cases
  }

  private static func linear(
    _ m: Int, _ k: Int, _ n: Int, from input: DType, activation: Activation, output: DType = .f32
  ) -> Case {
    let tolerance = output == .bf16 ? 1e-3 : tolerance
    let name = "int8 linear [\(m), \(k)] \(input) to \(n) \(output), \(activation)"
    return Case(name, tolerance, withoutBytes: Tolerance.bytes) { backend in
      var x = Tensor.random([m, k], seed: 21, dtype: input)
      if m > 4 { x = x.withZeroRow(3) }
      let weight = Tensor.random([n, k], seed: 22, scale: 0.3, dtype: input)
      let bias = activation == .silu ? nil : Tensor.random([n], seed: 23)
      let linear = backend.prepare(.dense(weight), bias: bias, precision: .int8)
      return linear(backend.resident(x), activation: activation, output: output)
    }
  }

  /// Rows that round in every way: ties, zeros, tiny and huge numbers.
  private static func rows(_ dtype: DType) -> Tensor {
    let special: [Float] = [
      127, 0.5, 1.5, 2.5, -0.5, -1.5, -126.5,
      0, 0, -0, 0, 0, 0, 0,
      1e-38, 2e-38, -1e-38, 0x1p-130, 0, 0, 0,
      3e38, -3e38, 1e38, 1, 0, 0, 0,
    ]
    let random = Tensor.random([40, 7], seed: 24).floats()
    return Tensor(special + random, shape: [44, 7]).converted(to: dtype)
  }

  private static func quantizedValues(_ dtype: DType) -> Case {
    Case("bytes of \(dtype) rows", Tolerance.exact) { $0.quantizedRows(rows(dtype)).values }
  }

  private static func quantizedScales(_ dtype: DType) -> Case {
    Case("scales of \(dtype) rows", Tolerance.exact) { backend in
      // The scale of 3e38 would swamp the others in one norm.
      backend.cast(backend.resident(backend.quantizedRows(rows(dtype)).scales.slice(4..<44)), to: .f32)
    }
  }
}

extension Tensor {
  /// The same matrix with one row of zeros.
  fileprivate func withZeroRow(_ row: Int) -> Tensor {
    var values = floats()
    let columns = shape.last
    for i in row * columns..<(row + 1) * columns { values[i] = 0 }
    return Tensor(values, shape: shape).converted(to: dtype)
  }
}
