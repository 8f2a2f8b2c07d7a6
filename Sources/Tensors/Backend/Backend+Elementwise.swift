// Elementwise operations, norms and layouts made of primitives.

extension Backend {
  /// x + y in x's type; see ``combined(_:_:_:)`` for shapes.
  public func add(_ x: Tensor, _ y: Tensor) -> Tensor { combined(x, y, .add) }

  /// x * y in x's type; see ``combined(_:_:_:)`` for shapes.
  public func multiply(_ x: Tensor, _ y: Tensor) -> Tensor { combined(x, y, .multiply) }

  /// The activation of every element; the result has x's shape and type.
  public func activate(_ x: Tensor, _ activation: Activation) -> Tensor {
    switch activation {
    case .none: x
    case .silu: mapped(x, .silu)
    case .gelu: mapped(x, .gelu)
    case .relu: mapped(x, .relu)
    }
  }

  /// Numbers known to the host, float32, where this backend computes.
  public func tensor(_ values: [Float], _ shape: Shape) -> Tensor { resident(Tensor(values, shape: shape)) }

  /// One number that serves every element of ``combined(_:_:_:)``.
  func constant(_ value: Float) -> Tensor { tensor([value], [1]) }

  public func layerNorm(_ x: Tensor, scale: RowTable, shift: RowTable, epsilon: Float, output: DType) -> Tensor {
    let centred = combined(x, reduced(x, .mean), .subtract)  // [B, L, D]
    let variance = reduced(multiply(centred, centred), .mean)  // [B, L, 1]
    let factor = mapped(add(variance, constant(epsilon)), .reciprocalRoot)
    let y = multiply(multiply(centred, factor), rows(of: scale))
    return cast(add(y, rows(of: shift)), to: output)
  }

  public func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, output: DType) -> Tensor {
    let x = cast(x, to: .f32)
    let meanSquare = reduced(multiply(x, x), .mean)  // [..., 1]
    let factor = mapped(add(meanSquare, constant(epsilon)), .reciprocalRoot)
    return cast(multiply(multiply(x, factor), weight), to: output)
  }

  public func channelNorm(_ x: Tensor, gamma: Tensor, activation: Activation) -> Tensor {
    let wide = cast(x, to: .f32)
    // 1e-24 is the square of the least length that a pixel is divided by.
    let square = combined(reduced(multiply(wide, wide), .sum), constant(1e-24), .maximum)  // [..., 1]
    let factor = multiply(mapped(square, .reciprocalRoot), constant(Float(x.shape.last).squareRoot()))
    return cast(activate(multiply(multiply(wide, factor), gamma), activation), to: x.dtype)
  }

  public func addGated(_ y: Tensor, gate: RowTable, to x: inout Tensor) {
    x = add(x, multiply(cast(y, to: .f32), rows(of: gate)))
  }

  public func rotary(_ x: Tensor, table: Tensor) -> Tensor {
    let (b, l, h, d) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let pairs = cast(x, to: .f32).reshaped([b * l, h, d / 2, 2])
    func member(_ i: Int) -> Tensor { last(pairs, i) }  // [B L, H, D / 2]
    // Every batch item takes the same table.
    let turns = concatenated(Array(repeating: table, count: b)).reshaped([b * l, 1, d / 2, 2])
    let (cosine, sine) = (last(turns, 0), last(turns, 1))  // [B L, 1, D / 2]
    let even = combined(multiply(member(0), cosine), multiply(member(1), sine), .subtract)
    let odd = add(multiply(member(0), sine), multiply(member(1), cosine))
    let joined = concatenated([even, odd]).reshaped([2, b * l * h * d / 2])
    return cast(permuted(joined, [1, 0]).reshaped(x.shape), to: x.dtype)
  }

  public func rmsNormRotary(_ x: Tensor, weight: Tensor, epsilon: Float, table: Tensor) -> Tensor {
    let flat = x.reshaped([x.shape[0], x.shape[1], x.shape[2] * x.shape[3]])  // [B, L, H D]
    return rotary(rmsNorm(flat, weight: weight, epsilon: epsilon, output: x.dtype).reshaped(x.shape), table: table)
  }

  public func meanOfGroups(_ x: Tensor, size: Int) -> Tensor {
    precondition(size > 0 && x.shape.last % size == 0, "meanOfGroups: groups of \(size) in \(x.shape)")
    let groups = cast(x, to: .f32).reshaped([x.count / size, size])
    return cast(reduced(groups, .mean), to: x.dtype).reshaped(x.shape.replacingLast(x.shape.last / size))
  }

  public func repeatedElements(_ x: Tensor, count: Int) -> Tensor {
    let ones = cast(tensor(Array(repeating: 1, count: count), [count]), to: x.dtype)
    let copies = multiply(ones, x.reshaped([x.count, 1]))  // [n, count]
    return copies.reshaped(x.shape.replacingLast(x.shape.last * count))
  }

  public func clamped(_ x: Tensor, to range: ClosedRange<Float>) -> Tensor {
    let inside = combined(combined(x, constant(range.lowerBound), .maximum), constant(range.upperBound), .minimum)
    return add(inside, combined(x, x, .subtract))  // x - x is 0, and NaN of what is infinite
  }

  /// A row table unrolled to one row per token of a batch item: [L, D].
  private func rows(of table: RowTable) -> Tensor {
    gather(table.values, indices: table.rowOfToken.map { Int32($0) }, output: .f32)
  }

  /// One index of the last axis, without that axis.
  private func last(_ x: Tensor, _ index: Int) -> Tensor {
    let windows = x.shape.dimensions.dropLast().map { AxisWindow(count: $0) } + [AxisWindow(first: index, count: 1)]
    return windowed(x, windows).reshaped(Shape(Array(x.shape.dimensions.dropLast())))
  }
}
