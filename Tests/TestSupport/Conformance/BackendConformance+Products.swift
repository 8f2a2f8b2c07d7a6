import Tensors

extension BackendConformance {
  /// How a product is set up.
  private struct Setting: Sendable {
    var precision = Precision.f32
    var weight = DType.f32
    var input = DType.f32
    var output = DType.f32
    var bias = true
    var activation = Activation.none

    var name: String {
      "\(precision.rawValue) weight \(weight.rawValue) in \(input.rawValue) out \(output.rawValue)"
        + (bias ? "" : " no bias") + (activation == .none ? "" : " \(activation)")
    }

    var tolerance: Double { Tolerance.of(output) }

    static let all: [Setting] = [
      Setting(),
      Setting(bias: false),
      Setting(activation: .gelu),
      Setting(activation: .relu),
      Setting(output: .bf16, activation: .silu),
      Setting(weight: .bf16, input: .bf16),
      Setting(precision: .bf16, weight: .bf16, input: .bf16, output: .bf16),
      Setting(precision: .bf16, weight: .bf16, input: .f32, output: .f32, bias: false, activation: .gelu),
      Setting(precision: .bf16, weight: .f32, input: .f32, output: .bf16),
      Setting(precision: .bf16, weight: .f64, input: .bf16, output: .f32),
    ]
  }

  static func linears() -> [Case] {
    let shapes = [(1, 1, 1), (3, 7, 5), (1, 64, 17), (13, 31, 129), (257, 8, 33), (2, 67, 300)]
    var cases: [Case] = []
    for setting in Setting.all {
      for (m, k, n) in shapes { cases.append(linear([m, k], n, setting)) }
    }
    cases.append(linear([2, 3, 19], 23, Setting()))
    cases.append(linear([2101, 3], 2, Setting(precision: .bf16, weight: .bf16)))
    cases.append(linear([3, 2], 4200, Setting(precision: .bf16, weight: .bf16, output: .bf16)))
    return cases
  }

  private static func linear(_ shape: Shape, _ outputs: Int, _ setting: Setting) -> Case {
    Case("linear \(shape) to \(outputs), \(setting.name)", setting.tolerance) { backend in
      let x = Tensor.random(shape, seed: 1, dtype: setting.input)
      let weight = Tensor.random(typed: [outputs, shape.last], seed: 2, scale: 0.3, dtype: setting.weight)
      let bias = setting.bias ? Tensor.random([outputs], seed: 3) : nil
      let linear = backend.prepare(.dense(weight), bias: bias, precision: setting.precision)
      return linear(backend.resident(x), activation: setting.activation, output: setting.output)
    }
  }

  /// A convolution: input [T, H, W, C], outputs, kernel and walk.
  private struct Walk: Sendable {
    var input: Shape
    var outputs: Int
    var kernel: (Int, Int, Int)
    var stride = (time: 1, height: 1, width: 1)
    var leading = 0
    var history: Int?
    var padding = ConvolutionGeometry.Padding(all: 0)

    var name: String {
      "\(input) to \(outputs), kernel \(kernel), stride \(stride.time) \(stride.height) \(stride.width), "
        + "leading \(leading), history \(history ?? 0)"
    }

    static let all: [Walk] = [
      Walk(input: [1, 1, 1, 1], outputs: 1, kernel: (1, 1, 1)),
      Walk(input: [2, 3, 5, 7], outputs: 11, kernel: (1, 1, 1)),
      Walk(input: [2, 5, 4, 3], outputs: 2, kernel: (1, 1, 1), stride: (2, 2, 3), padding: .init(all: 1)),
      Walk(input: [3, 5, 7, 5], outputs: 9, kernel: (3, 3, 3), leading: 2, padding: .init(all: 1)),
      Walk(input: [3, 5, 7, 5], outputs: 9, kernel: (3, 3, 3), leading: 2, history: 1, padding: .init(all: 1)),
      Walk(input: [1, 4, 3, 8], outputs: 16, kernel: (3, 3, 3), leading: 2, history: 2, padding: .init(all: 1)),
      Walk(
        input: [2, 8, 9, 6], outputs: 5, kernel: (1, 3, 3), stride: (1, 2, 2),
        padding: .init(top: 0, bottom: 1, left: 0, right: 1)),
      Walk(input: [5, 2, 3, 4], outputs: 6, kernel: (3, 1, 1), stride: (2, 1, 1)),
      Walk(input: [4, 2, 3, 4], outputs: 8, kernel: (3, 1, 1), stride: (2, 1, 1), leading: 1, history: 1),
      Walk(input: [1, 2, 2, 16], outputs: 3, kernel: (3, 1, 1), leading: 2),
      Walk(input: [1, 6, 8, 4], outputs: 10, kernel: (1, 2, 2), stride: (1, 2, 2)),
      Walk(input: [1, 3, 3, 2], outputs: 300, kernel: (1, 3, 3), padding: .init(all: 1)),
      Walk(input: [1, 41, 29, 2], outputs: 3, kernel: (1, 3, 3), padding: .init(all: 1)),
    ]
  }

  static func convolutions() -> [Case] {
    let settings = [
      Setting(), Setting(input: .bf16, output: .bf16, bias: false),
      Setting(precision: .bf16, weight: .bf16, input: .bf16, output: .bf16),
      Setting(precision: .bf16, input: .f32, output: .f32, activation: .relu),
    ]
    let doubled: [(Shape, Int)] = [
      ([1, 1, 1, 3], 5), ([2, 5, 3, 7], 18), ([1, 9, 8, 16], 16), ([1, 2, 3, 4], 260),
    ]
    let small = settings.flatMap { setting in
      Walk.all.map { convolution($0, setting) } + doubled.map { upsampled($0.0, $0.1, setting) }
    }
    // Large enough for a backend to take another way.
    let edge = ConvolutionGeometry.Padding(all: 1)
    return small + [
      convolution(Walk.all[3], Setting(precision: .int8, weight: .bf16, input: .bf16)),
      upsampled([2, 5, 3, 7], 18, Setting(precision: .int8, input: .f32)),
      convolution(Walk(input: [1, 12, 43, 64], outputs: 65, kernel: (1, 3, 3), padding: edge), Setting()),
      convolution(Walk(input: [1, 16, 130, 65], outputs: 64, kernel: (1, 3, 3), padding: edge), settings[2]),
    ]
  }

  private static func convolution(_ walk: Walk, _ setting: Setting) -> Case {
    Case("convolution \(walk.name), \(setting.name)", setting.tolerance) { backend in
      let x = Tensor.random(walk.input, seed: 4, dtype: setting.input)
      let kernel: Shape = [walk.outputs, walk.input[3], walk.kernel.0, walk.kernel.1, walk.kernel.2]
      let weight = Tensor.random(typed: kernel, seed: 5, scale: 0.3, dtype: setting.weight)
      let bias = setting.bias ? Tensor.random([walk.outputs], seed: 6) : nil
      let history = walk.history.map {
        Tensor.random(Shape([$0] + walk.input.dimensions.dropFirst()), seed: 7, dtype: setting.input)
      }
      let convolution = backend.prepare(
        kernel: weight, bias: bias,
        geometry: ConvolutionGeometry(stride: walk.stride, leadingFrames: walk.leading, padding: walk.padding),
        precision: setting.precision)
      return convolution(
        backend.resident(x), history: history.map(backend.resident), activation: setting.activation,
        output: setting.output)
    }
  }

  private static func upsampled(_ shape: Shape, _ outputs: Int, _ setting: Setting) -> Case {
    // Summed weights are rounded once more than their parts.
    let tolerance = setting.precision.unquantized == .bf16 ? Tolerance.bfloat16 : setting.tolerance
    return Case("upsampled convolution \(shape) to \(outputs), \(setting.name)", tolerance) { backend in
      let x = Tensor.random(shape, seed: 8, dtype: setting.input)
      let weight = Tensor.random(typed: [outputs, shape[3], 1, 3, 3], seed: 9, scale: 0.3, dtype: setting.weight)
      let bias = setting.bias ? Tensor.random([outputs], seed: 10) : nil
      let convolution = backend.prepare(kernel: weight, bias: bias, geometry: .doubling, precision: setting.precision)
      return convolution(
        backend.resident(x), history: nil, activation: setting.activation, output: setting.output)
    }
  }
}

extension Tensor {
  /// Random numbers of any type that a checkpoint's weights have.
  static func random(typed shape: Shape, seed: UInt64, scale: Float, dtype: DType) -> Tensor {
    guard dtype == .f64 else { return random(shape, seed: seed, scale: scale, dtype: dtype) }
    let values = random(shape, seed: seed, scale: scale).floats()
    return filled(shape: shape, dtype: .f64, as: Double.self) { span in
      for i in values.indices { span[i] = Double(values[i]) }
    }
  }
}
