import Synchronization
public import Tensors

/// A backend that computes shapes and counts: the bytes of the tensors that are alive, at present and at most, and the
/// multiplications with prepared weights.
///
/// Every fused operation is one, as on a backend that has a kernel for it: it allocates its result and nothing else.
public final class MeteredBackend: Backend {
  /// What has been counted.
  public struct Count: Sendable {
    /// Bytes of tensors alive at present, and the most at one time since the last ``MeteredBackend/restart()``.
    public fileprivate(set) var live = 0, peak = 0
    /// Multiplications with weights since then.
    public fileprivate(set) var work = 0.0
    /// Bytes of the matrices and kernels prepared so far, in the types that they are multiplied in.
    public fileprivate(set) var weights = 0
  }

  private final class Meter: Sendable {
    let count = Mutex(Count())

    func allocate(_ byteCount: Int) {
      count.withLock {
        $0.live += byteCount
        $0.peak = max($0.peak, $0.live)
      }
    }
  }

  private final class Block: DeviceBlock {
    let meter: Meter
    let byteCount: Int

    init(_ meter: Meter, _ byteCount: Int) {
      (self.meter, self.byteCount) = (meter, byteCount)
      meter.allocate(byteCount)
    }

    deinit { meter.count.withLock { $0.live -= byteCount } }
  }

  private let meter = Meter()
  private let shapes = OutlineBackend()

  public init() {}

  public var name: String { "metered" }
  public var traits: BackendTraits { shapes.traits }
  public var count: Count { meter.count.withLock { $0 } }

  /// Forgets the peak and the work, and goes on from what is alive.
  public func restart() {
    meter.count.withLock { ($0.peak, $0.work) = ($0.live, 0) }
  }

  private func made(_ shape: Shape, _ dtype: DType) -> Tensor {
    let byteCount = shape.count * dtype.byteCount
    return Tensor(shape: shape, dtype: dtype, storage: Storage(Block(meter, byteCount), byteCount: byteCount))
  }

  private func metered(_ x: Tensor) -> Tensor { made(x.shape, x.dtype) }

  // MARK: Places and primitives

  public func resident(_ x: Tensor) -> Tensor { x.isHost ? metered(x) : x }
  public func host(_ x: Tensor) throws(DeviceError) -> Tensor { try shapes.host(x) }
  public func zeros(_ shape: Shape, dtype: DType) -> Tensor { made(shape, dtype) }
  public func synchronize() throws(DeviceError) {}

  public func product(_ x: Tensor, _ y: Tensor) -> Tensor { metered(shapes.product(x, y)) }
  public func combined(_ x: Tensor, _ y: Tensor, _ operation: BinaryOperation) -> Tensor {
    metered(shapes.combined(x, y, operation))
  }
  public func mapped(_ x: Tensor, _ operation: UnaryOperation) -> Tensor { metered(x) }
  public func reduced(_ x: Tensor, _ operation: Reduction) -> Tensor { metered(shapes.reduced(x, operation)) }
  public func cast(_ x: Tensor, to dtype: DType) -> Tensor { x.dtype == dtype ? x : made(x.shape, dtype) }
  public func gather(_ table: Tensor, indices: [Int32], output: DType) -> Tensor {
    metered(shapes.gather(table, indices: indices, output: output))
  }
  public func permuted(_ x: Tensor, _ axes: [Int]) -> Tensor { metered(shapes.permuted(x, axes)) }
  public func concatenated(_ tensors: [Tensor]) -> Tensor { metered(shapes.concatenated(tensors)) }
  public func windowed(_ x: Tensor, _ windows: [AxisWindow]) -> Tensor { metered(shapes.windowed(x, windows)) }

  // MARK: Fused operations

  public func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) -> Tensor { metered(q) }
  public func layerNorm(_ x: Tensor, scale: RowTable, shift: RowTable, epsilon: Float, output: DType) -> Tensor {
    made(x.shape, output)
  }
  public func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, output: DType) -> Tensor { made(x.shape, output) }
  public func channelNorm(_ x: Tensor, gamma: Tensor, activation: Activation) -> Tensor { metered(x) }
  public func rotary(_ x: Tensor, table: Tensor) -> Tensor { metered(x) }
  public func rmsNormRotary(_ x: Tensor, weight: Tensor, epsilon: Float, table: Tensor) -> Tensor { metered(x) }
  public func addGated(_ y: Tensor, gate: RowTable, to x: inout Tensor) {}
  public func meanOfGroups(_ x: Tensor, size: Int) -> Tensor {
    made(x.shape.replacingLast(x.shape.last / size), x.dtype)
  }
  public func repeatedElements(_ x: Tensor, count: Int) -> Tensor {
    made(x.shape.replacingLast(x.shape.last * count), x.dtype)
  }
  public func clamped(_ x: Tensor, to range: ClosedRange<Float>) -> Tensor { metered(x) }

  // MARK: Weights

  public func prepare(_ matrix: StoredMatrix, bias: Tensor?, precision: Precision) -> any PreparedLinear {
    note(weights: matrix.shape.count, precision)
    return MeteredLinear(matrix.shape, self)
  }

  /// A doubled frame is walked over by four kernels of 2 x 2, which is what a backend with a kernel for it keeps.
  public func prepare(
    kernel: Tensor, bias: Tensor?, geometry: ConvolutionGeometry, precision: Precision
  ) -> any PreparedConvolution {
    let convolution = MeteredConvolution(kernel.shape, geometry, self)
    note(weights: convolution.inputs * convolution.outputs * convolution.points, precision)
    return convolution
  }

  private func note(weights count: Int, _ precision: Precision) {
    meter.count.withLock { $0.weights += count * precision.activations.byteCount }
  }

  private func result(_ shape: Shape, _ dtype: DType, work: Int) -> Tensor {
    meter.count.withLock { $0.work += Double(work) }
    return made(shape, dtype)
  }

  private final class MeteredLinear: PreparedLinear {
    let inputs, outputs: Int
    private let backend: MeteredBackend

    init(_ shape: Shape, _ backend: MeteredBackend) {
      (outputs, inputs) = (shape[0], shape[1])
      self.backend = backend
    }

    func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor {
      backend.result(x.shape.replacingLast(outputs), output, work: x.shape.rows * inputs * outputs)
    }
  }

  private final class MeteredConvolution: PreparedConvolution {
    let inputs, outputs: Int
    let points: Int
    private let kernel: [Int]  // frames, rows, columns
    private let geometry: ConvolutionGeometry
    private let backend: MeteredBackend

    init(_ shape: Shape, _ geometry: ConvolutionGeometry, _ backend: MeteredBackend) {
      (outputs, inputs, kernel) = (shape[0], shape[1], Array(shape.dimensions.dropFirst(2)))
      points = geometry.input == .doubled ? 16 : kernel.reduce(1, *)
      (self.geometry, self.backend) = (geometry, backend)
    }

    func callAsFunction(_ x: Tensor, history: Tensor?, activation: Activation, output: DType) -> Tensor {
      let (isDoubled, padding, stride) = (geometry.input == .doubled, geometry.padding, geometry.stride)
      let rows = (isDoubled ? 2 : 1) * x.shape[1] + padding.top + padding.bottom
      let columns = (isDoubled ? 2 : 1) * x.shape[2] + padding.left + padding.right
      let shape: Shape = [
        (geometry.leadingFrames + x.shape[0] - kernel[0]) / stride.time + 1, (rows - kernel[1]) / stride.height + 1,
        (columns - kernel[2]) / stride.width + 1, outputs,
      ]
      let pixels = (isDoubled ? x.shape : shape).rows
      return backend.result(shape, output, work: pixels * inputs * outputs * points)
    }
  }
}
