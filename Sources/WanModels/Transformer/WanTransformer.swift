// B prompts, L tokens of a T x h x w latent, C latent channels, D the width, R distinct timesteps.

public import Layers
public import Tensors

/// The denoiser of all Wan2.2 models: published as `WanModel` in `model.py`.
///
/// All prompts of a step go through together; they share latents and timesteps and differ in their text.
public struct WanTransformer: Network {
  /// The sizes that it was made with.
  public let configuration: TransformerConfiguration
  private let patchEmbedding: Linear
  private let timeEmbedding: TimeEmbedding
  private let textEmbedding1, textEmbedding2: Linear
  private let blocks: [WanAttentionBlock]
  private let head: WanHead
  private let backend: any Backend

  /// Takes every tensor of the published checkpoint.
  public init(_ w: Weights, _ configuration: TransformerConfiguration) {
    let (c, d) = (configuration.inputChannels, configuration.dimension)
    self.configuration = configuration
    backend = w.backend
    patchEmbedding = Linear(w["patch_embedding"], c * 4, d, storedAs: [d, c, 1, 2, 2])
    timeEmbedding = TimeEmbedding(w, configuration)
    textEmbedding1 = Linear(w["text_embedding"][0], configuration.textDimension, d)
    textEmbedding2 = Linear(w["text_embedding"][2], d, d)
    blocks = (0..<configuration.layers).map { WanAttentionBlock(w["blocks"][$0].quantizable, configuration) }
    head = WanHead(w["head"], configuration)
  }

  /// The velocity that each prompt asks for: one [Cout, T, h, w] float32 per prompt of `context`.
  ///
  /// - Parameters:
  ///   - latents: [C, T, h, w] float32, from the host or the backend; noise channels followed by the condition's where
  ///     the model takes one.
  ///   - timesteps: of the L = T h/2 w/2 tokens, in frame, row, column order.
  ///   - rotary: of the same grid.
  ///   - betweenBlocks: called before each block; what it throws ends the pass. By default a cancelled task does.
  public func callAsFunction(
    _ latents: Tensor, timesteps: TokenTimesteps, rotary: RotaryTable, context: TextContext,
    betweenBlocks: () throws -> Void = { try Task.checkCancellation() }
  ) throws -> [Tensor] {
    let (e, e0) = timeEmbedding(timesteps.values)  // [R, D], [R, 6, D]
    var x = stream(latents, prompts: context.prompts)
    for (layer, block) in blocks.enumerated() {
      try betweenBlocks()
      block(&x, e0: e0, runs: timesteps.runs, rotary: rotary, context: context, layer: layer)
    }
    let y = head(x, e: e, runs: timesteps.runs)  // [B, L, 4 Cout]
    return (0..<context.prompts).map { unpatched(y[$0], like: latents.shape) }
  }

  /// The keys and values of every layer for prompts by their embeddings: [n, textDimension] each, n at most the text
  /// length, from the host or the backend.
  ///
  /// - Parameter betweenBlocks: called before each block's weights are looked at.
  public func context(
    _ prompts: [Tensor], betweenBlocks: () throws -> Void = { try Task.checkCancellation() }
  ) throws -> TextContext {
    let lengths = prompts.map { $0.shape[0] }
    let rows = TextContext.rowCount(lengths: lengths, paddedTo: configuration.textLength)
    let padded = prompts.map(backend.resident).flatMap { prompt in
      let gap = rows - prompt.shape[0]
      return gap == 0 ? [prompt] : [prompt, backend.zeros([gap, prompt.shape[1]], dtype: prompt.dtype)]
    }
    let text = textEmbedding2(textEmbedding1(backend.concatenated(padded), .gelu))
      .reshaped([prompts.count, rows, configuration.dimension])  // [B, Lk, D]
    let pairs = try blocks.map { block in
      try betweenBlocks()
      return block.keysAndValues(text)
    }
    return TextContext(
      keys: pairs.map(\.keys), values: pairs.map(\.values),
      keyBias: backend.resident(TextContext.keyBias(lengths: lengths, paddedTo: configuration.textLength)))
  }

  /// Whether a weight of the blocks, by its name, is one of those that ``context(_:betweenBlocks:)`` looks at.
  public static func isForContext(_ name: String) -> Bool {
    name.contains(".cross_attn.k.") || name.contains(".cross_attn.v.")
  }

  /// Latents as the residual stream of every prompt: [C, T, h, w] -> [B, L, D] float32
  private func stream(_ latents: Tensor, prompts: Int) -> Tensor {
    let tokens = patchEmbedding(patches(backend.resident(latents)), output: .f32)  // [L, D]
    return backend.concatenated(Array(repeating: tokens, count: prompts))
      .reshaped([prompts, tokens.shape[0], tokens.shape[1]])
  }

  /// [C, T, h, w] -> [L, C 1 2 2]
  private func patches(_ latents: Tensor) -> Tensor {
    let (grid, c) = (TokenGrid(latents: latents.shape), latents.shape[0])
    let folded = latents.reshaped([c, grid.time, grid.height, 2, grid.width, 2])
    return backend.permuted(folded, [1, 2, 4, 0, 3, 5]).reshaped([grid.count, c * 4])
  }

  /// [L, 2 2 Cout] -> [Cout, T, h, w]
  private func unpatched(_ y: Tensor, like latents: Shape) -> Tensor {
    let (grid, c) = (TokenGrid(latents: latents), configuration.outputChannels)
    let folded = y.reshaped([grid.time, grid.height, grid.width, 2, 2, c])
    return backend.permuted(folded, [5, 0, 1, 3, 2, 4]).reshaped([c, latents[1], latents[2], latents[3]])
  }
}

/// The last norm and linear, in float32.
struct WanHead: Sendable {
  private let modulation: Tensor  // [2, D]
  private let norm: ModulatedNorm
  private let linear: Linear
  private let backend: any Backend

  init(_ w: Weights, _ configuration: TransformerConfiguration) {
    let (w, d) = (w.inFloat32, configuration.dimension)
    backend = w.backend
    modulation = w.parameter("modulation", [2, d], storedAs: [1, 2, d])
    norm = ModulatedNorm(w, epsilon: configuration.epsilon)
    linear = Linear(w["head"], d, configuration.outputChannels * 4)
  }

  /// x [B, L, D], e [R, D] -> [B, L, 4 Cout]
  func callAsFunction(_ x: Tensor, e: Tensor, runs: [RowTable.Run]) -> Tensor {
    let e = e.reshaped([1, e.shape[0], e.shape[1]])
    let m = Modulation(learned: modulation, e: e, runs: runs, backend)  // shift, scale
    return linear(norm(x, scale: m.scale(1), shift: m[0]))
  }
}

extension TokenGrid {
  /// The tokens of latents [C, T, h, w], in patches of 1 x 2 x 2.
  public init(latents: Shape) {
    self.init(time: latents[1], height: latents[2] / 2, width: latents[3] / 2)
  }
}
