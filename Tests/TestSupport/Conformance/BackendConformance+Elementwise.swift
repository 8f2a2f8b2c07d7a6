import Tensors

extension BackendConformance {
  private static let pairs: [(DType, DType)] = [(.f32, .f32), (.f32, .bf16), (.bf16, .f32), (.bf16, .bf16)]
  private static let shapes: [Shape] = [[1], [7], [3, 17], [2, 3, 5, 131]]

  static func elementwise() -> [Case] {
    let sums = pairs.flatMap { pair in shapes.flatMap { binary($0, pair.0, pair.1) } }
    let activations = [DType.f32, .bf16].flatMap { dtype in
      Activation.allCases.flatMap { activation in shapes.map { activate($0, dtype, activation) } }
    }
    let casts = pairs.flatMap { pair in shapes.map { cast($0, pair.0, pair.1) } }
    return sums + activations + casts + [cast([5, 3], .f64, .f32)]
  }

  private static func binary(_ shape: Shape, _ x: DType, _ y: DType) -> [Case] {
    let types = "\(shape) \(x.rawValue) and \(y.rawValue)"
    return [
      Case("add \(types)", Tolerance.of(x)) { backend in
        backend.add(backend.random(shape, seed: 30, dtype: x), backend.random(shape, seed: 31, dtype: y))
      },
      Case("multiply \(types)", Tolerance.of(x)) { backend in
        backend.multiply(backend.random(shape, seed: 32, dtype: x), backend.random(shape, seed: 33, dtype: y))
      },
    ]
  }

  private static func activate(_ shape: Shape, _ dtype: DType, _ activation: Activation) -> Case {
    Case("activate \(activation) \(shape) \(dtype.rawValue)", Tolerance.of(dtype)) { backend in
      backend.activate(backend.random(shape, seed: 34, scale: 4, dtype: dtype), activation)
    }
  }

  private static func cast(_ shape: Shape, _ from: DType, _ to: DType) -> Case {
    Case("cast \(shape) \(from.rawValue) to \(to.rawValue)", Tolerance.exact) { backend in
      backend.cast(backend.resident(Tensor.random(typed: shape, seed: 35, scale: 1, dtype: from)), to: to)
    }
  }

  static func layouts() -> [Case] {
    let permutations: [(Shape, [Int])] = [
      ([5], [0]), ([37, 19], [1, 0]), ([2, 3, 4], [0, 1, 2]), ([2, 3, 5, 7], [0, 2, 1, 3]),
      ([2, 3, 5, 7], [3, 1, 2, 0]), ([1, 4, 6, 3, 2], [1, 0, 3, 4, 2]), ([2, 1, 33, 17], [0, 3, 2, 1]),
      ([3, 4, 5, 2, 2, 2], [0, 4, 1, 5, 2, 3]), ([0, 3], [1, 0]),
    ]
    return [DType.f32, .bf16].flatMap { dtype in
      permutations.map { permuted($0.0, $0.1, dtype) }
        + [concatenated([[2, 3], [1, 3], [0, 3], [5, 3]], dtype), concatenated([[4]], dtype)]
        + [1, 2, 3, 8].flatMap { [meanOfGroups($0, dtype), repeatedElements($0, dtype)] }
    } + [DType.f32, .bf16, .f64].flatMap { table in [DType.f32, .bf16].map { gather(table, $0) } }
  }

  private static func permuted(_ shape: Shape, _ axes: [Int], _ dtype: DType) -> Case {
    Case("permute \(shape) by \(axes) \(dtype.rawValue)", Tolerance.exact) { backend in
      backend.permuted(backend.random(shape, seed: 36, dtype: dtype), axes)
    }
  }

  private static func concatenated(_ shapes: [Shape], _ dtype: DType) -> Case {
    Case("concatenate \(shapes) \(dtype.rawValue)", Tolerance.exact) { backend in
      backend.concatenated(shapes.enumerated().map { backend.random($1, seed: UInt64(37 + $0), dtype: dtype) })
    }
  }

  private static func meanOfGroups(_ size: Int, _ dtype: DType) -> Case {
    Case("mean of groups of \(size) \(dtype.rawValue)", Tolerance.of(dtype)) { backend in
      backend.meanOfGroups(backend.random([2, 3, 11 * size], seed: 41, dtype: dtype), size: size)
    }
  }

  private static func repeatedElements(_ count: Int, _ dtype: DType) -> Case {
    Case("repeat elements \(count) times \(dtype.rawValue)", Tolerance.exact) { backend in
      backend.repeatedElements(backend.random([2, 3, 11], seed: 42, dtype: dtype), count: count)
    }
  }

  private static func gather(_ table: DType, _ output: DType) -> Case {
    Case("gather \(table.rawValue) to \(output.rawValue)", Tolerance.exact) { backend in
      backend.gather(
        backend.resident(Tensor.random(typed: [9, 19], seed: 43, scale: 1, dtype: table)), indices: [3, 0, 8, 3, 7],
        output: output)
    }
  }
}
