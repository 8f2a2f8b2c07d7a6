import Layers
public import Tensors
public import WanModels

/// What a step of sampling takes beside the transformer's weights, from sizes alone.
public struct SamplingEstimate: Sendable, Hashable {
  /// Bytes of each layer's keys and values of the prompts.
  public let context: Int
  /// Bytes of the residual stream of all prompts.
  public let stream: Int
  /// Bytes that are alive beside it at the widest place of a block.
  public let block: Int
  /// Bytes of latents: where the run stands, what each prompt's pass gives, and what the solver remembers.
  public let latents: Int

  /// Bytes of all together.
  public var total: Int { context + stream + block + latents }

  /// Rows that a backend without products of bfloat16 widens to float32 at a time.
  private static let widenedRows = 2048
  /// Bytes of keys and values that a backend lays out for attention at a time.
  private static let packedKeys = 16 << 20
  /// Latents alive at a time beside one for each prompt: before and after a step, and three of a solver's history.
  private static let solverLatents = 5

  /// - Parameters:
  ///   - shape: [C, T, h, w] of the latents.
  ///   - prompts: passes of a step, 2 where it is guided.
  ///   - textRows: rows of each prompt's keys and values, see ``WanTransformer/context(_:)``.
  ///   - traits: of the backend that computes.
  public init(
    _ c: TransformerConfiguration, latents shape: Shape, prompts: Int, textRows: Int, precision: Precision,
    on traits: BackendTraits
  ) {
    let rows = prompts * TokenGrid(latents: shape).count
    let element = precision.activations.byteCount
    let float = DType.f32.byteCount
    context = c.layers * 2 * prompts * textRows * c.dimension * element
    stream = rows * c.dimension * float
    latents = (prompts + Self.solverLatents) * shape.count * float
    let isWidened = precision != .f32 && !traits.precisions.contains(.bf16)
    // What a linear of so many inputs takes beside its result.
    func factors(_ inputs: Int) -> Int {
      if precision == .int8, traits.precisions.contains(.int8) { return rows * inputs }
      return isWidened ? min(rows, Self.widenedRows) * inputs * float : 0
    }
    let width = rows * c.dimension * element
    let inner = rows * c.feedForward * element
    // The normalised stream, queries, keys, values, what was attended to, and keys and values in the kernel's layout.
    let packed = 2 * rows * c.dimension * (isWidened ? float : element)
    let attention = 5 * width + max(factors(c.dimension), min(packed, Self.packedKeys))
    let feedForward = width + inner + max(factors(c.dimension), factors(c.feedForward))
    block = max(attention, feedForward)
  }
}
