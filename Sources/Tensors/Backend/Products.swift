/// A linear whose weights one backend has laid out for itself: activation(x W^T + b).
public protocol PreparedLinear: AnyObject, Sendable {
  /// K, the extent taken in.
  var inputs: Int { get }
  /// N, the extent given out.
  var outputs: Int { get }

  /// [..., K] -> [..., N] in `output`.
  func callAsFunction(_ x: Tensor, activation: Activation, output: DType) -> Tensor
}

/// A convolution whose weights one backend has laid out for itself.
public protocol PreparedConvolution: AnyObject, Sendable {
  /// C, the channels taken in.
  var inputs: Int { get }
  /// N, the channels given out.
  var outputs: Int { get }

  /// Convolution over time and space, then the activation; channels last: [T, H, W, C] -> [T', H', W', N] in `output`.
  ///
  /// Time is never padded behind. In front come the geometry's leading frames: the last ones are `history`
  /// ([T0, H, W, C], T0 at most their number), those before it zeros.
  func callAsFunction(_ x: Tensor, history: Tensor?, activation: Activation, output: DType) -> Tensor
}

/// The pointwise functions that follow a product or a norm.
public enum Activation: Sendable, Hashable, CaseIterable {
  /// The identity.
  case none
  /// x / (1 + exp(-x))
  case silu
  /// The tanh form of GELU.
  case gelu
  /// The larger of x and 0; NaN where x is NaN.
  case relu
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
  /// What the kernel walks over: the frames as they are, or each doubled by nearest neighbour first.
  public let input: Input

  /// The frames that a kernel sees.
  public enum Input: Sendable, Hashable {
    /// As they come.
    case plain
    /// Every pixel as a square of four; only under kernels of 1 x 3 x 3 that visit every position, padded by 1.
    case doubled
  }

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
    input = .plain
  }

  private init(doubledPaddedBy sides: Int) {
    (strideTime, strideHeight, strideWidth) = (1, 1, 1)
    leadingFrames = 0
    padding = Padding(all: sides)
    input = .doubled
  }

  /// A 3x3 kernel with padding 1 over frames first doubled by nearest neighbour: [T, H, W, C] -> [T, 2 H, 2 W, N].
  public static let doubling = ConvolutionGeometry(doubledPaddedBy: 1)
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
