// Products made of primitives: what a backend starts with, and what its own kernels are held to.

extension Backend {
  public func prepare(_ matrix: StoredMatrix, bias: Tensor?, precision: Precision) -> any PreparedLinear {
    ComposedLinear(matrix, bias: bias, precision: precision, self)
  }

  public func prepare(
    kernel: Tensor, bias: Tensor?, geometry: ConvolutionGeometry, precision: Precision
  ) -> any PreparedConvolution {
    ComposedConvolution(kernel: kernel, bias: bias, geometry: geometry, precision: precision, self)
  }

  public func quantizedRows(_ matrix: Tensor) -> QuantizedRows { QuantizedRows(rounding: matrix) }

  public func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) -> Tensor {
    let (b, lq, h, d) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3])
    let lk = k.shape[1]
    if lk == 0 { return zeros(q.shape, dtype: q.dtype) }
    let (queries, keys) = (permuted(q, [0, 2, 1, 3]), permuted(k, [0, 2, 1, 3]))  // [B, H, L, D]
    var logits = multiply(product(queries, keys), constant(options.scale))  // [B, H, Lq, Lk]
    if let bias = options.keyBias { logits = add(logits, bias.reshaped([b, 1, 1, lk])) }
    if let bias = options.relativeBias { logits = add(logits, unrolled(bias, queries: lq, keys: lk)) }
    // A query that may see no key has no largest logit to subtract; any finite number does.
    let largest = combined(reduced(logits, .maximum), constant(-.greatestFiniteMagnitude), .maximum)
    let weights = mapped(combined(logits, largest, .subtract), .exponential)
    let sums = combined(reduced(weights, .sum), constant(.leastNormalMagnitude), .maximum)  // [B, H, Lq, 1]
    let values = cast(permuted(v, [0, 2, 3, 1]), to: .f32)  // [B, H, D, Lk]
    let y = combined(product(weights, values), sums, .divide)  // [B, H, Lq, D]
    return cast(permuted(y, [0, 2, 1, 3]), to: q.dtype).reshaped([b, lq, h, d])
  }

  /// [H, Lq + Lk - 1] -> [H, Lq, Lk]: entry key - query + Lq - 1 for each pair.
  private func unrolled(_ bias: Tensor, queries: Int, keys: Int) -> Tensor {
    let indices = (0..<queries).flatMap { query in (0..<keys).map { Int32($0 - query + queries - 1) } }
    let pairs = gather(permuted(bias, [1, 0]), indices: indices, output: .f32)  // [Lq Lk, H]
    return permuted(pairs, [1, 0]).reshaped([bias.shape[0], queries, keys])
  }
}

extension Shape {
  /// Traps unless ``Backend/product(_:_:)`` can take both: matrices of one depth and type, as many on either side.
  package static func checkProduct(_ x: Tensor, _ y: Tensor) {
    let rank = x.shape.rank
    precondition(
      rank >= 2 && y.shape.rank == rank && x.shape.last == y.shape.last && x.dtype == y.dtype
        && x.shape.dimensions.dropLast(2) == y.shape.dimensions.dropLast(2),
      "product: x \(x.shape) \(x.dtype), y \(y.shape) \(y.dtype)")
  }
}

/// A linear of primitives.
private final class ComposedLinear: PreparedLinear {
  let inputs, outputs: Int
  private let weight: Tensor  // [N, K]
  private let bias: Tensor?  // [N] float32
  private let backend: any Backend

  init(_ matrix: StoredMatrix, bias: Tensor?, precision: Precision, _ backend: any Backend) {
    (outputs, inputs) = (matrix.shape[0], matrix.shape[1])
    weight = backend.cast(backend.resident(matrix.dense), to: precision.activations)
    self.bias = bias.map { backend.cast(backend.resident($0), to: .f32) }
    self.backend = backend
  }

  func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor {
    precondition(x.shape.last == inputs, "linear: x \(x.shape) for \(inputs) inputs")
    let rows = backend.cast(x.reshaped([x.shape.rows, inputs]), to: weight.dtype)
    let product = backend.product(rows, weight)  // [M, N]
    let sum = bias.map { backend.add(product, $0) } ?? product
    return backend.cast(backend.activate(sum, activation), to: output).reshaped(x.shape.replacingLast(outputs))
  }
}

/// A convolution of primitives: one product for each point of the kernel.
private final class ComposedConvolution: PreparedConvolution {
  let inputs, outputs: Int
  private let taps: Tensor  // [kt, kh, kw, N, C]
  private let bias: Tensor?  // [N] float32
  private let geometry: ConvolutionGeometry
  private let backend: any Backend

  init(
    kernel: Tensor, bias: Tensor?, geometry: ConvolutionGeometry, precision: Precision, _ backend: any Backend
  ) {
    precondition(kernel.shape.rank == 5, "convolution: kernel \(kernel.shape) is not [N, C, kt, kh, kw]")
    (outputs, inputs) = (kernel.shape[0], kernel.shape[1])
    let resident = backend.cast(backend.resident(kernel), to: precision.activations)
    taps = backend.permuted(resident, [2, 3, 4, 0, 1])
    self.bias = bias.map { backend.cast(backend.resident($0), to: .f32) }
    self.geometry = geometry
    self.backend = backend
  }

  func callAsFunction(_ x: Tensor, history: Tensor?, activation: Activation, output: DType) -> Tensor {
    precondition(x.shape.rank == 4 && x.shape[3] == inputs, "convolution: x \(x.shape) is not [T, H, W, \(inputs)]")
    let frames = backend.cast(geometry.input == .doubled ? doubled(x) : x, to: taps.dtype)
    let padded = padded(frames, history: history.map { backend.cast($0, to: taps.dtype) })
    let steps = [geometry.strideTime, geometry.strideHeight, geometry.strideWidth]
    let extents = (0..<3).map { (padded.shape[$0] - taps.shape[$0]) / steps[$0] + 1 }
    var sum = bias
    for t in 0..<taps.shape[0] {
      for row in 0..<taps.shape[1] {
        for column in 0..<taps.shape[2] {
          let windows = zip([t, row, column], zip(extents, steps)).map { first, walk in
            AxisWindow(first: first, count: walk.0, step: walk.1)
          }
          let seen = backend.windowed(padded, windows + [AxisWindow(count: inputs)])
          let part = backend.product(seen.reshaped([seen.shape.rows, inputs]), taps[t][row][column])
          sum = sum.map { backend.add(part, $0) } ?? part
        }
      }
    }
    guard let sum else { preconditionFailure("convolution: a kernel without points") }
    return backend.cast(backend.activate(sum, activation), to: output).reshaped(Shape(extents + [outputs]))
  }

  /// Each pixel as a square of four: [T, H, W, C] -> [T, 2 H, 2 W, C].
  private func doubled(_ x: Tensor) -> Tensor {
    let (t, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let squares = backend.cast(backend.tensor([1, 1, 1, 1], [1, 2, 1, 2, 1]), to: x.dtype)
    return backend.multiply(squares, x.reshaped([t * h, 1, w, 1, c])).reshaped([t, 2 * h, 2 * w, c])
  }

  /// History and zeros in front of the frames, zeros around each.
  private func padded(_ x: Tensor, history: Tensor?) -> Tensor {
    let missing = geometry.leadingFrames - (history?.shape[0] ?? 0)
    precondition(missing >= 0, "convolution: history of \(history?.shape ?? []) for \(geometry.leadingFrames) frames")
    let shape = x.shape.dimensions
    let zeros = missing > 0 ? [backend.zeros(Shape([missing] + shape.dropFirst()), dtype: x.dtype)] : []
    let parts = zeros + (history.map { [$0] } ?? []) + [x]
    let frames = parts.count == 1 ? x : backend.concatenated(parts)
    let padding = geometry.padding
    return padded(padded(frames, axis: 1, padding.top, padding.bottom), axis: 2, padding.left, padding.right)
  }

  private func padded(_ x: Tensor, axis: Int, _ before: Int, _ behind: Int) -> Tensor {
    if before + behind == 0 { return x }
    var axes = Array(0..<x.shape.rank)
    axes.swapAt(0, axis)
    let turned = backend.permuted(x, axes)
    func zeros(_ count: Int) -> [Tensor] {
      count == 0 ? [] : [backend.zeros(Shape([count] + turned.shape.dimensions.dropFirst()), dtype: x.dtype)]
    }
    return backend.permuted(backend.concatenated(zeros(before) + [turned] + zeros(behind)), axes)
  }
}
