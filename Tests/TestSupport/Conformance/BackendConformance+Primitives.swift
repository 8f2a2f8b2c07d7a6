import Tensors

extension BackendConformance {
  static func primitives() -> [Case] {
    let types: [DType] = [.f32, .bf16]
    return types.flatMap { dtype in
      combinations(dtype) + functions(dtype) + reductions(dtype) + windows(dtype) + products(dtype)
    } + storedForms() + encodedForms() + adaptedLinears()
  }

  private static func combinations(_ dtype: DType) -> [Case] {
    let shapes: [(Shape, Shape)] = [
      ([1], [1]), ([3, 17], [3, 17]), ([3, 17], [17]), ([3, 17], [3, 1]), ([5, 1], [1, 7]), ([2, 3, 5], [1]),
      ([4], [2, 3, 4]), ([2, 1, 3, 1], [5, 1, 131]),
    ]
    return BinaryOperation.allCases.flatMap { operation in
      shapes.map { x, y in
        Case("\(operation) \(x) and \(y) \(dtype.rawValue)", Tolerance.of(dtype)) { backend in
          // Divisors keep away from zero.
          let divisor = backend.tensor(Tensor.random(y, seed: 51).floats().map { $0 + ($0 < 0 ? -0.5 : 0.5) }, y)
          return backend.combined(backend.random(x, seed: 50, dtype: dtype), divisor, operation)
        }
      }
    }
  }

  private static func functions(_ dtype: DType) -> [Case] {
    let shapes: [Shape] = [[1], [3, 17], [2, 3, 5, 131]]
    return shapes.flatMap { shape in
      UnaryOperation.allCases.map { operation in
        Case("\(operation) \(shape) \(dtype.rawValue)", Tolerance.of(dtype)) { backend in
          let values = Tensor.random(shape, seed: 52, scale: 2).floats()
          let x = operation == .reciprocalRoot ? values.map { $0.magnitude + 0.1 } : values
          return backend.mapped(backend.resident(Tensor(x, shape: shape).converted(to: dtype)), operation)
        }
      } + [
        Case("clamped \(shape) \(dtype.rawValue)", Tolerance.exact) { backend in
          backend.clamped(backend.random(shape, seed: 53, scale: 2, dtype: dtype), to: -1...0.5)
        }
      ]
    }
  }

  private static func reductions(_ dtype: DType) -> [Case] {
    let shapes: [Shape] = [[1], [3, 17], [2, 3, 5, 131], [70_001, 2]]
    return Reduction.allCases.flatMap { operation in
      shapes.map { shape in
        Case("\(operation) of \(shape) \(dtype.rawValue)", Tolerance.float32) { backend in
          backend.reduced(backend.random(shape, seed: 54, dtype: dtype), operation)
        }
      }
    }
  }

  private static func windows(_ dtype: DType) -> [Case] {
    let cases: [(Shape, [AxisWindow])] = [
      ([5], [.init(count: 5)]), ([5], [.init(first: 1, count: 2, step: 3)]), ([5], [.init(count: 0)]),
      ([3, 7], [.init(1..<3), .init(first: 6, count: 1)]),
      ([2, 6, 9, 5], [.init(0..<2), .init(count: 3, step: 2), .init(2..<9), .init(0..<5)]),
      ([2, 6, 9, 5], [.init(0..<2), .init(1..<5), .init(0..<9), .init(first: 1, count: 2, step: 2)]),
    ]
    return cases.map { shape, windows in
      Case("windows \(windows.map { [$0.first, $0.count, $0.step] }) of \(shape) \(dtype.rawValue)", Tolerance.exact) {
        $0.windowed($0.random(shape, seed: 55, dtype: dtype), windows)
      }
    }
  }

  private static func products(_ dtype: DType) -> [Case] {
    let shapes: [(Shape, Shape)] = [
      ([1, 1], [1, 1]), ([5, 17], [3, 17]), ([2, 5, 17], [2, 3, 17]), ([2, 3, 67, 33], [2, 3, 130, 33]),
    ]
    return shapes.map { x, y in
      Case("product of \(x) and \(y) \(dtype.rawValue)", Tolerance.float32) { backend in
        backend.product(backend.random(x, seed: 56, dtype: dtype), backend.random(y, seed: 57, dtype: dtype))
      }
    }
  }

  /// Matrices of codes: a table for all rows, for each row, stretches of a row, blocks, padding.
  private static func encodedForms() -> [Case] {
    func codes(_ rows: Int, _ bytes: Int, below limit: UInt8) -> Tensor {
      Tensor.filled(shape: [rows, bytes], dtype: .u8, as: UInt8.self) { codes in
        for i in 0..<codes.count { codes[i] = UInt8(truncatingIfNeeded: i &* 37 &+ 11) % limit }
      }
    }
    func scales(_ rows: Int, _ stretches: Int) -> Tensor {
      Tensor(Tensor.random([rows, stretches], seed: 61).floats().map { $0.magnitude * 0.1 }, shape: [rows, stretches])
    }
    let forms: [(String, EncodedMatrix)] = [
      ("e4m3", EncodedMatrix(shape: [19, 64], coding: .e4m3, codes: codes(19, 64, below: 80))),
      (
        "e5m2 with a scale for each row",
        EncodedMatrix(
          shape: [19, 64], coding: .e5m2, codes: codes(19, 64, below: 70),
          scales: BlockScales(values: scales(19, 1), width: 64))
      ),
      (
        "padded e2m1 with scales for stretches",
        EncodedMatrix(
          shape: [19, 60], coding: .e2m1, codes: codes(32, 32, below: 255),
          scales: BlockScales(values: scales(19, 4), width: 16, factor: 0.5))
      ),
      (
        "e4m3 in other rows",
        EncodedMatrix(shape: [1, 19 * 64], coding: .e4m3, codes: codes(1, 19 * 64, below: 80)).reshaped([19, 64])
      ),
      ("Q8_0", EncodedMatrix(shape: [19, 64], coding: .q8_0, codes: codes(19, 68, below: 40))),
    ]
    return forms.flatMap { name, matrix in
      Precision.allCases.map { precision in
        let tolerance = Tolerance.of(precision.activations)
        return Case(
          "\(name) in \(precision.rawValue)", tolerance, withoutBytes: precision == .int8 ? Tolerance.bytes : tolerance
        ) { backend in
          let linear = backend.prepare(.encoded(matrix), bias: Tensor.random([19], seed: 59), precision: precision)
          return linear(backend.random([7, matrix.shape[1]], seed: 60), activation: .none, output: .f32)
        }
      }
    }
  }

  /// Linears with small products added, of ranks that fill no register, before an activation.
  private static func adaptedLinears() -> [Case] {
    Precision.allCases.map { precision in
      let tolerance = Tolerance.of(precision.activations)
      return Case(
        "a linear with products added in \(precision.rawValue)", tolerance,
        withoutBytes: precision == .int8 ? Tolerance.bytes : tolerance
      ) { backend in
        let linear = backend.prepare(
          .dense(Tensor.random([131, 70], seed: 62)), bias: Tensor.random([131], seed: 63), precision: precision)
        let updates = [(3, Float(0.5)), (17, -2)].map { rank, scale in
          LowRankUpdate(
            down: .random([rank, 70], seed: 64, scale: 0.1), up: .random([131, rank], seed: 65, scale: 0.1),
            scale: scale)
        }
        let adapted = backend.adapted(linear, by: updates, precision: precision)
        return adapted(backend.random([9, 70], seed: 66), activation: .gelu, output: .f32)
      }
    }
  }

  /// A matrix of bytes with row scales, however its products are computed.
  private static func storedForms() -> [Case] {
    Precision.allCases.map { precision in
      let (name, tolerance) = ("a matrix of scaled rows in \(precision.rawValue)", Tolerance.of(precision.activations))
      return Case(name, tolerance, withoutBytes: precision == .int8 ? Tolerance.bytes : tolerance) { backend in
        let rows = QuantizedRows(rounding: Tensor.random([19, 33], seed: 58))
        let linear = backend.prepare(.scaledRows(rows), bias: Tensor.random([19], seed: 59), precision: precision)
        return linear(backend.random([7, 33], seed: 60), activation: .none, output: .f32)
      }
    }
  }
}
