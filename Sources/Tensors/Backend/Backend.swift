/// The operations that the models are written in; each makes new tensors and leaves its inputs alone.
///
/// A new backend is brought up by the first two groups, places and primitives: every operation after them has a default
/// made of these (``Backend`` extensions), which a backend replaces where one large kernel is faster. Wrong shapes and
/// types are programming errors and trap, naming the operation; nothing but a place throws. Results do not depend on the
/// number of threads. Floating-point tensors are float32 or bfloat16; sums, norms and softmax accumulate in float32.
///
/// Tensors that operations take are ``resident(_:)``, and so are their results. Results may be computed as late as
/// ``host(_:)`` or ``synchronize()``; the first error of a device is kept until then, and thrown there.
public protocol Backend: Sendable {
  /// What the user sees: "reference", "cpu avx2".
  var name: String { get }

  /// What plans and estimates go by.
  var traits: BackendTraits { get }

  // MARK: Places

  /// The tensor where this backend computes: x itself where it lies there.
  func resident(_ x: Tensor) -> Tensor

  /// The tensor in host memory, computed; x itself where it lies there.
  func host(_ x: Tensor) throws(DeviceError) -> Tensor

  /// Zeros where this backend computes.
  func zeros(_ shape: Shape, dtype: DType) -> Tensor

  /// Waits until everything that was asked for is computed.
  func synchronize() throws(DeviceError)

  /// Gives back memory that is kept for the next result: what comes next may need other sizes, or memory for weights. By
  /// default nothing is kept.
  func trim()

  // MARK: Primitives

  /// x y^T of each matrix, summed in float32: [..., M, K] and [..., N, K] of one type -> [..., M, N] float32.
  ///
  /// The leading axes are the same on both sides.
  func product(_ x: Tensor, _ y: Tensor) -> Tensor

  /// Element by element in float32, rounded to x's type.
  ///
  /// Shapes are aligned at their last axes; an axis of extent 1, or one that is missing, serves every index of the other.
  func combined(_ x: Tensor, _ y: Tensor, _ operation: BinaryOperation) -> Tensor

  /// A function of every element in float32; the result has x's shape and type.
  func mapped(_ x: Tensor, _ operation: UnaryOperation) -> Tensor

  /// One number for each row of the last axis, in float32: [..., n] -> [..., 1].
  func reduced(_ x: Tensor, _ operation: Reduction) -> Tensor

  /// The elements in another type, float32 to bfloat16 rounded to nearest even; x itself where it has that type.
  ///
  /// From any floating type to float32 or bfloat16.
  func cast(_ x: Tensor, to dtype: DType) -> Tensor

  /// Rows of table [V, D] (any floating type), one per index -> [indices.count, D] in `output`.
  func gather(_ table: Tensor, indices: [Int32], output: DType) -> Tensor

  /// The axes reordered: result axis i is x's axis `axes[i]`.
  func permuted(_ x: Tensor, _ axes: [Int]) -> Tensor

  /// Tensors of one type joined along the outermost axis.
  func concatenated(_ tensors: [Tensor]) -> Tensor

  /// Some indices of each axis, in order; one window for each axis of x.
  func windowed(_ x: Tensor, _ windows: [AxisWindow]) -> Tensor

  // MARK: Weights, prepared once

  /// A linear of a matrix [N, K], in whatever form a checkpoint stores it.
  ///
  /// - Parameters:
  ///   - bias: [N] or none, in host memory.
  ///   - precision: how products are computed. With ``Precision/int8`` each row of x is rounded to bytes as
  ///     ``QuantizedRows`` are, products of bytes are summed exactly, and the result is
  ///     activation(sum * scale of x's row * scale of W's row + b). The default computes it as ``Precision/bf16``.
  func prepare(_ matrix: StoredMatrix, bias: Tensor?, precision: Precision) -> any PreparedLinear

  /// A linear of this backend's with small products added: activation(x W^T + b + sum of scale (x down^T) up^T).
  ///
  /// The sum is taken before the activation and in float32; the matrix itself stays where and as it is. Each product
  /// x down^T is scaled in float32, and rounded as activations are.
  func adapted(
    _ linear: any PreparedLinear, by updates: [LowRankUpdate], precision: Precision
  ) -> any PreparedLinear

  /// - Parameters:
  ///   - kernel: [N, C, kt, kh, kw], any floating type, in host memory.
  ///   - bias: [N] or none, in host memory.
  ///   - precision: there are no convolutions of bytes: ``Precision/int8`` is ``Precision/bf16``.
  func prepare(
    kernel: Tensor, bias: Tensor?, geometry: ConvolutionGeometry, precision: Precision
  ) -> any PreparedConvolution

  /// A matrix [rows, K] of any floating type in host memory as bytes; K at most ``QuantizedRows/longestRow``.
  func quantizedRows(_ matrix: Tensor) -> QuantizedRows

  // MARK: Fused operations

  /// softmax(scale q k^T + biases) v per batch item and head.
  ///
  /// q [B, Lq, H, D], k and v [B, Lk, H, D] of one type -> [B, Lq, H, D] in that type. With Lk = 0 the result is zero.
  func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) -> Tensor

  /// (x - mean) / sqrt(variance + epsilon) * scale + shift over the last axis.
  ///
  /// x [B, L, D] float32; scale and shift rows [R, D] over L tokens -> [B, L, D] in `output`.
  func layerNorm(_ x: Tensor, scale: RowTable, shift: RowTable, epsilon: Float, output: DType) -> Tensor

  /// x / sqrt(mean(x^2) + epsilon) * weight over the last axis, [..., D] -> [..., D] in `output`; weight [D] float32.
  func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, output: DType) -> Tensor

  /// x / max(|x|, 1e-12) * sqrt(C) * gamma over the last axis, then the activation; [..., C], gamma [C] float32.
  ///
  /// The result has x's type.
  func channelNorm(_ x: Tensor, gamma: Tensor, activation: Activation) -> Tensor

  /// Rotates interleaved pairs of each head: x [B, L, H, D], table [L, D/2, 2] float32 (cosine, sine).
  ///
  /// The result has x's type.
  func rotary(_ x: Tensor, table: Tensor) -> Tensor

  /// ``rmsNorm(_:weight:epsilon:output:)`` over all heads together, then ``rotary(_:table:)``; x [B, L, H, D].
  ///
  /// The result has x's type.
  func rmsNormRotary(_ x: Tensor, weight: Tensor, epsilon: Float, table: Tensor) -> Tensor

  /// x += y * gate: x [B, L, D] float32, y [B, L, D] of either type, gate rows [R, D] over L tokens.
  func addGated(_ y: Tensor, gate: RowTable, to x: inout Tensor)

  /// The mean of each `size` neighbours of the last axis: [..., n size] -> [..., n] in x's type.
  func meanOfGroups(_ x: Tensor, size: Int) -> Tensor

  /// Each element of the last axis `count` times in a row: [..., n] -> [..., n count].
  func repeatedElements(_ x: Tensor, count: Int) -> Tensor

  /// Each element held inside `range`; what is infinite becomes NaN, so that it is not taken for a limit.
  func clamped(_ x: Tensor, to range: ClosedRange<Float>) -> Tensor
}

extension Backend {
  public func trim() {}
}

/// A backend whose tensors lie in host memory, and whose results are there when an operation returns.
public protocol HostBackend: Backend {}

extension HostBackend {
  public func resident(_ x: Tensor) -> Tensor { x }
  public func host(_ x: Tensor) throws(DeviceError) -> Tensor { x }
  public func zeros(_ shape: Shape, dtype: DType) -> Tensor { .zeros(shape, dtype: dtype) }
  public func synchronize() throws(DeviceError) {}
}

/// Why a device could not compute, or gave its results up: the first thing that went wrong there.
public struct DeviceError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The backend's name.
  public let device: String
  /// What it says itself.
  public let reason: String

  /// What a backend throws at its next ``Backend/host(_:)`` or ``Backend/synchronize()``.
  public init(device: String, reason: String) {
    (self.device, self.reason) = (device, reason)
  }

  public var description: String { "\(device): \(reason)" }
}

/// What ``Backend/combined(_:_:_:)`` makes of two numbers.
public enum BinaryOperation: Sendable, Hashable, CaseIterable {
  /// As the words say.
  case add, subtract, multiply, divide
  /// The larger and the smaller of both; NaN where one is NaN.
  case maximum, minimum
}

/// What ``Backend/mapped(_:_:)`` makes of a number.
public enum UnaryOperation: Sendable, Hashable, CaseIterable {
  /// e^x
  case exponential
  /// 1 / sqrt(x)
  case reciprocalRoot
  /// x / (1 + exp(-x))
  case silu
  /// The tanh form of GELU.
  case gelu
  /// The larger of x and 0; NaN where x is NaN.
  case relu
}

/// What ``Backend/reduced(_:_:)`` makes of a row.
public enum Reduction: Sendable, Hashable, CaseIterable {
  /// Of all numbers of the row.
  case sum, mean
  /// The largest number; NaN where one is NaN.
  case maximum
}

/// Indices of an axis: `first`, `first` + `step`, ... , as many as `count`.
public struct AxisWindow: Sendable, Hashable {
  /// Not negative; `step` at least 1.
  public let first, count, step: Int

  /// Whether the indices lie inside an axis is checked when they are taken.
  public init(first: Int = 0, count: Int, step: Int = 1) {
    precondition(first >= 0 && count >= 0 && step >= 1, "window: \(count) from \(first) in steps of \(step)")
    (self.first, self.count, self.step) = (first, count, step)
  }

  /// A stretch of neighbours.
  public init(_ range: Range<Int>) {
    self.init(first: range.lowerBound, count: range.count)
  }

  /// One past the last index; 0 for none.
  public var end: Int { count == 0 ? 0 : first + (count - 1) * step + 1 }
}
