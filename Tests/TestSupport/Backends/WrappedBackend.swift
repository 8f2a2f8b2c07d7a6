public import Tensors

/// A backend that hands every operation on to another; a test's own counts or changes some of them.
public protocol WrappedBackend: Backend {
  /// Computes.
  var base: any Backend { get }
}

extension WrappedBackend {
  public var traits: BackendTraits { base.traits }

  public func resident(_ x: Tensor) -> Tensor { base.resident(x) }
  public func host(_ x: Tensor) throws(DeviceError) -> Tensor { try base.host(x) }
  public func zeros(_ shape: Shape, dtype: DType) -> Tensor { base.zeros(shape, dtype: dtype) }
  public func synchronize() throws(DeviceError) { try base.synchronize() }
  public func trim() { base.trim() }

  public func product(_ x: Tensor, _ y: Tensor) -> Tensor { base.product(x, y) }
  public func combined(_ x: Tensor, _ y: Tensor, _ operation: BinaryOperation) -> Tensor {
    base.combined(x, y, operation)
  }
  public func mapped(_ x: Tensor, _ operation: UnaryOperation) -> Tensor { base.mapped(x, operation) }
  public func reduced(_ x: Tensor, _ operation: Reduction) -> Tensor { base.reduced(x, operation) }
  public func cast(_ x: Tensor, to dtype: DType) -> Tensor { base.cast(x, to: dtype) }
  public func gather(_ table: Tensor, indices: [Int32], output: DType) -> Tensor {
    base.gather(table, indices: indices, output: output)
  }
  public func permuted(_ x: Tensor, _ axes: [Int]) -> Tensor { base.permuted(x, axes) }
  public func concatenated(_ tensors: [Tensor]) -> Tensor { base.concatenated(tensors) }
  public func windowed(_ x: Tensor, _ windows: [AxisWindow]) -> Tensor { base.windowed(x, windows) }

  public func prepare(_ matrix: StoredMatrix, bias: Tensor?, precision: Precision) -> any PreparedLinear {
    base.prepare(matrix, bias: bias, precision: precision)
  }
  public func prepare(
    kernel: Tensor, bias: Tensor?, geometry: ConvolutionGeometry, precision: Precision
  ) -> any PreparedConvolution {
    base.prepare(kernel: kernel, bias: bias, geometry: geometry, precision: precision)
  }
  public func quantizedRows(_ matrix: Tensor) -> QuantizedRows { base.quantizedRows(matrix) }

  public func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) -> Tensor {
    base.attention(q, k, v, options)
  }
  public func layerNorm(_ x: Tensor, scale: RowTable, shift: RowTable, epsilon: Float, output: DType) -> Tensor {
    base.layerNorm(x, scale: scale, shift: shift, epsilon: epsilon, output: output)
  }
  public func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, output: DType) -> Tensor {
    base.rmsNorm(x, weight: weight, epsilon: epsilon, output: output)
  }
  public func channelNorm(_ x: Tensor, gamma: Tensor, activation: Activation) -> Tensor {
    base.channelNorm(x, gamma: gamma, activation: activation)
  }
  public func rotary(_ x: Tensor, table: Tensor) -> Tensor { base.rotary(x, table: table) }
  public func rmsNormRotary(_ x: Tensor, weight: Tensor, epsilon: Float, table: Tensor) -> Tensor {
    base.rmsNormRotary(x, weight: weight, epsilon: epsilon, table: table)
  }
  public func addGated(_ y: Tensor, gate: RowTable, to x: inout Tensor) { base.addGated(y, gate: gate, to: &x) }
  public func meanOfGroups(_ x: Tensor, size: Int) -> Tensor { base.meanOfGroups(x, size: size) }
  public func repeatedElements(_ x: Tensor, count: Int) -> Tensor { base.repeatedElements(x, count: count) }
  public func clamped(_ x: Tensor, to range: ClosedRange<Float>) -> Tensor { base.clamped(x, to: range) }
}
