/// The operations that the models are written in; each makes new tensors and leaves its inputs alone.
///
/// Few and large, so that a backend can fuse. Wrong shapes and types are programming errors and trap, naming the
/// operation; nothing here throws. Results do not depend on the number of threads.
/// Floating-point tensors are float32 or bfloat16; sums, norms and softmax accumulate in float32.
public protocol Backend: Sendable {
  /// What the user sees: "reference", "cpu avx2".
  var name: String { get }

  // MARK: Weights, prepared once

  /// - Parameters:
  ///   - weight: [N, K], any floating type.
  ///   - bias: [N] or none.
  ///   - precision: with ``Precision/int8`` as ``prepareLinear(_:bias:)`` of the quantized rows. Convolutions have no
  ///     such form and take it as ``Precision/bf16``.
  func prepareLinear(_ weight: Tensor, bias: Tensor?, precision: Precision) -> any LinearWeights

  /// ``Precision/int8``: weights as ``quantizedRows(_:)`` makes them; `linear` then quantizes each row of x alike,
  /// sums the products of bytes exactly, and gives activation(sum * scale of x's row * scale of W's row + b).
  ///
  /// - Parameter bias: [N] or none.
  func prepareLinear(_ weight: QuantizedRows, bias: Tensor?) -> any LinearWeights

  /// [rows, K] of any floating type as bytes; K at most ``QuantizedRows/longestRow``.
  func quantizedRows(_ x: Tensor) -> QuantizedRows

  /// - Parameters:
  ///   - weight: [N, C, kt, kh, kw], any floating type.
  ///   - bias: [N] or none.
  func prepareConvolution(_ weight: Tensor, bias: Tensor?, precision: Precision) -> any ConvolutionWeights

  /// A 3x3 convolution, padding 1, over an image first doubled by nearest neighbour; weight [N, C, 1, 3, 3].
  func prepareUpsampledConvolution(_ weight: Tensor, bias: Tensor?, precision: Precision) -> any ConvolutionWeights

  // MARK: Products

  /// activation(x W^T + b): [..., K] -> [..., N] in `output`.
  func linear(_ x: Tensor, _ weights: any LinearWeights, activation: Activation, output: DType) -> Tensor

  /// Convolution over time and space, channels last: [T, H, W, C] -> [T', H', W', N] in `output`.
  ///
  /// Time is never padded behind. In front come `geometry.leadingFrames` frames: the last ones are `history`
  /// ([T0, H, W, C], T0 at most leadingFrames), those before it zeros.
  func convolution(
    _ x: Tensor, history: Tensor?, _ weights: any ConvolutionWeights, geometry: ConvolutionGeometry, output: DType
  ) -> Tensor

  /// The convolution of ``prepareUpsampledConvolution(_:bias:precision:)``: [T, H, W, C] -> [T, 2H, 2W, N].
  func upsampledConvolution(_ x: Tensor, _ weights: any ConvolutionWeights, output: DType) -> Tensor

  /// softmax(scale q k^T + biases) v per batch item and head, never holding an Lq x Lk matrix.
  ///
  /// q [B, Lq, H, D], k and v [B, Lk, H, D] of one type -> [B, Lq, H, D] in that type. With Lk = 0 the result is zero.
  func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) -> Tensor

  // MARK: Norms and modulation

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

  // MARK: Elementwise

  /// x + y, same shapes; the result has x's type.
  func add(_ x: Tensor, _ y: Tensor) -> Tensor

  /// x * y, same shapes; the result has x's type.
  func multiply(_ x: Tensor, _ y: Tensor) -> Tensor

  /// The activation of every element; the result has x's shape and type.
  func activate(_ x: Tensor, _ activation: Activation) -> Tensor

  /// The elements in another type, float32 to bfloat16 rounded to nearest even; x itself where it has that type.
  func cast(_ x: Tensor, to dtype: DType) -> Tensor

  // MARK: Layout

  /// Rows of table [V, D] (any floating type), one per index -> [indices.count, D] in `output`.
  func gather(_ table: Tensor, indices: [Int32], output: DType) -> Tensor

  /// The axes reordered: result axis i is x's axis `axes[i]`.
  func permuted(_ x: Tensor, _ axes: [Int]) -> Tensor

  /// Tensors joined along the outermost axis.
  func concatenated(_ tensors: [Tensor]) -> Tensor

  /// The mean of each `size` neighbours of the last axis: [..., n size] -> [..., n].
  func meanOfGroups(_ x: Tensor, size: Int) -> Tensor

  /// Each element of the last axis `count` times in a row: [..., n] -> [..., n count].
  func repeatedElements(_ x: Tensor, count: Int) -> Tensor
}

/// A linear's weights as one backend wants them.
public protocol LinearWeights: AnyObject, Sendable {
  /// K, the extent taken in.
  var inputs: Int { get }
  /// N, the extent given out.
  var outputs: Int { get }
}

/// A convolution's weights as one backend wants them.
public protocol ConvolutionWeights: AnyObject, Sendable {
  /// C, the channels taken in.
  var inputs: Int { get }
  /// N, the channels given out.
  var outputs: Int { get }
}

/// The pointwise functions that follow a product or a norm.
public enum Activation: Sendable, Hashable, CaseIterable {
  /// The identity.
  case none
  /// x / (1 + exp(-x))
  case silu
  /// The tanh form of GELU.
  case gelu
}

/// How a convolution walks over its input.
public struct ConvolutionGeometry: Sendable, Hashable {
  /// Steps in time, rows and columns.
  public var stride: (time: Int, height: Int, width: Int) { (strideTime, strideHeight, strideWidth) }
  /// The parts of ``stride``, each at least 1.
  public let strideTime, strideHeight, strideWidth: Int
  /// Frames in front of the input: history, and zeros before it.
  public let leadingFrames: Int
  /// Zeros around each frame.
  public let padding: Padding

  /// Rows and columns of zeros on each side of a frame.
  public struct Padding: Sendable, Hashable {
    /// Rows above and below, columns left and right; not negative.
    public let top, bottom, left, right: Int

    /// Sides of their own; the published VAE's halving pads below and right only.
    public init(top: Int, bottom: Int, left: Int, right: Int) {
      (self.top, self.bottom, self.left, self.right) = (top, bottom, left, right)
    }

    /// As many on every side: k / 2 keeps the size under an odd kernel k.
    public init(all sides: Int) {
      self.init(top: sides, bottom: sides, left: sides, right: sides)
    }
  }

  /// By default every position is visited and nothing comes in front.
  public init(stride: (time: Int, height: Int, width: Int) = (1, 1, 1), leadingFrames: Int = 0, padding: Padding) {
    (strideTime, strideHeight, strideWidth) = stride
    self.leadingFrames = leadingFrames
    self.padding = padding
  }
}

/// How attention treats its logits.
public struct AttentionOptions: Sendable {
  /// The factor on q k^T; usually 1/sqrt(D).
  public let scale: Float
  /// [B, Lk] float32 added to every query's logits: ln(count) for a key that stands for many, -infinity for none.
  public let keyBias: Tensor?
  /// [H, Lq + Lk - 1] float32: entry key - query + Lq - 1 is added to a head's logit of that pair.
  public let relativeBias: Tensor?
  /// Whether a backend that is faster with bytes may round q, k, v and the probabilities to eight bits for the products,
  /// as ``Precision/int8`` does; others compute as ever.
  public let allowsBytes: Bool

  /// By default no bias, and no bytes; see the properties for shapes.
  public init(scale: Float, keyBias: Tensor? = nil, relativeBias: Tensor? = nil, allowsBytes: Bool = false) {
    self.scale = scale
    self.keyBias = keyBias
    self.relativeBias = relativeBias
    self.allowsBytes = allowsBytes
  }
}
