import Tensors

extension BackendConformance {
  private static let widths = [1, 5, 16, 33, 130, 771]
  private static let types: [(DType, DType)] = [(.f32, .f32), (.f32, .bf16), (.bf16, .bf16), (.bf16, .f32)]

  static func norms() -> [Case] {
    let outputs = [DType.f32, .bf16].flatMap { output in
      widths.flatMap { [layerNorm($0, output), addGated($0, output)] }
    }
    let plain = types.flatMap { input, output in widths.map { rmsNorm($0, input, output) } }
    let channels = [DType.f32, .bf16].flatMap { dtype in
      widths.flatMap { width in Activation.allCases.map { channelNorm(width, dtype, $0) } }
    }
    let rotations = [DType.f32, .bf16].flatMap { dtype in
      [(1, 2), (3, 6), (2, 16), (5, 34), (1, 128)].flatMap { [rotary($0, dtype), rmsNormRotary($0, dtype)] }
    }
    return outputs + plain + channels + rotations
  }

  /// Runs of unequal length over 13 tokens, one of them empty, rows out of order.
  private static func rows(_ width: Int, seed: UInt64, on backend: any Backend) -> RowTable {
    RowTable(
      backend.random([3, width], seed: seed),
      runs: [.init(row: 2, count: 5), .init(row: 0, count: 0), .init(row: 1, count: 7), .init(row: 2, count: 1)])
  }

  private static func layerNorm(_ width: Int, _ output: DType) -> Case {
    Case("layer norm of \(width) to \(output.rawValue)", Tolerance.of(output)) { backend in
      backend.layerNorm(
        backend.random([2, 13, width], seed: 16, scale: 3), scale: rows(width, seed: 17, on: backend),
        shift: rows(width, seed: 18, on: backend),
        epsilon: 1e-6, output: output)
    }
  }

  private static func addGated(_ width: Int, _ dtype: DType) -> Case {
    Case("add gated \(width) \(dtype.rawValue)", Tolerance.float32) { backend in
      var x = backend.random([2, 13, width], seed: 19)
      backend.addGated(
        backend.random([2, 13, width], seed: 20, dtype: dtype), gate: rows(width, seed: 21, on: backend), to: &x)
      return x
    }
  }

  private static func rmsNorm(_ width: Int, _ input: DType, _ output: DType) -> Case {
    Case("RMS norm of \(width), \(input.rawValue) to \(output.rawValue)", Tolerance.of(output)) { backend in
      backend.rmsNorm(
        backend.random([3, 5, width], seed: 22, scale: 2, dtype: input), weight: backend.random([width], seed: 23),
        epsilon: 1e-6, output: output)
    }
  }

  private static func channelNorm(_ width: Int, _ dtype: DType, _ activation: Activation) -> Case {
    Case("channel norm of \(width) \(dtype.rawValue), \(activation)", Tolerance.of(dtype)) { backend in
      // The last row is zero: its norm is bounded from below.
      let values = Tensor.random([1, 2, 7, width], seed: 24).floats().enumerated()
      let x = Tensor(values.map { $0.offset < 13 * width ? $0.element : 0 }, shape: [1, 2, 7, width])
      return backend.channelNorm(
        backend.resident(x.converted(to: dtype)), gamma: backend.random([width], seed: 25), activation: activation)
    }
  }

  private static func table(_ dimension: Int, on backend: any Backend) -> Tensor {
    backend.random([11, dimension / 2, 2], seed: 26)
  }

  private static func rotary(_ size: (heads: Int, dimension: Int), _ dtype: DType) -> Case {
    Case("rotary \(size) \(dtype.rawValue)", Tolerance.of(dtype)) { backend in
      backend.rotary(
        backend.random([2, 11, size.heads, size.dimension], seed: 27, dtype: dtype),
        table: table(size.dimension, on: backend))
    }
  }

  private static func rmsNormRotary(_ size: (heads: Int, dimension: Int), _ dtype: DType) -> Case {
    Case("RMS norm and rotary \(size) \(dtype.rawValue)", Tolerance.of(dtype)) { backend in
      backend.rmsNormRotary(
        backend.random([2, 11, size.heads, size.dimension], seed: 28, dtype: dtype),
        weight: backend.random([size.heads * size.dimension], seed: 29), epsilon: 1e-6,
        table: table(size.dimension, on: backend))
    }
  }
}
