// L tokens, D the width, A the attention width, H heads.

public import Layers
public import Tensors

/// The prompt encoder: published as `T5Encoder` in `t5.py`, run on a prompt's real tokens alone.
public struct UMT5Encoder: Network {
  /// The sizes that it was made with.
  public let configuration: TextEncoderConfiguration
  private let tokenEmbedding: Embedding
  private let blocks: [UMT5Block]
  private let norm: RMSNorm

  /// Takes every tensor of the published checkpoint.
  public init(_ w: Weights, _ configuration: TextEncoderConfiguration) {
    self.configuration = configuration
    tokenEmbedding = Embedding(w["token_embedding"], configuration.vocabulary, configuration.dimension)
    blocks = (0..<configuration.layers).map { UMT5Block(w["blocks"][$0], configuration) }
    norm = RMSNorm(w["norm"], configuration.dimension, epsilon: configuration.epsilon)
  }

  /// Token ids below the vocabulary -> [ids.count, D] float32.
  ///
  /// - Throws: `CancellationError` within one block of the task's cancellation.
  public func callAsFunction(_ ids: [Int32]) throws -> Tensor { try self([ids])[0] }

  /// The embeddings of several prompts, each as it would be alone; a block is gone through by all of them before the
  /// next one's weights are looked at.
  ///
  /// - Parameter betweenBlocks: called before each block; what it throws ends the pass.
  public func callAsFunction(
    _ prompts: [[Int32]], betweenBlocks: () throws -> Void = { try Task.checkCancellation() }
  ) throws -> [Tensor] {
    var streams = prompts.map { tokenEmbedding($0) }  // [L, D] each, the float32 residual streams
    for block in blocks {
      try betweenBlocks()
      streams = streams.map { block($0) }
    }
    return streams.map { norm($0, output: .f32) }
  }
}

/// Self-attention and a gated feed-forward layer.
struct UMT5Block: Sendable {
  private let norm1, norm2: RMSNorm
  private let q, k, v, o: Linear
  private let gate, expand, contract: Linear
  private let positions: RelativePositions
  private let heads: Int
  private let backend: any Backend

  init(_ w: Weights, _ c: TextEncoderConfiguration) {
    backend = w.backend
    heads = c.heads
    norm1 = RMSNorm(w["norm1"], c.dimension, epsilon: c.epsilon)
    norm2 = RMSNorm(w["norm2"], c.dimension, epsilon: c.epsilon)
    q = Linear(w["attn"]["q"], c.dimension, c.attention, bias: false)
    k = Linear(w["attn"]["k"], c.dimension, c.attention, bias: false)
    v = Linear(w["attn"]["v"], c.dimension, c.attention, bias: false)
    o = Linear(w["attn"]["o"], c.attention, c.dimension, bias: false)
    gate = Linear(w["ffn"]["gate"][0], c.dimension, c.feedForward, bias: false)
    expand = Linear(w["ffn"]["fc1"], c.dimension, c.feedForward, bias: false)
    contract = Linear(w["ffn"]["fc2"], c.feedForward, c.dimension, bias: false)
    positions = RelativePositions(w["pos_embedding"]["embedding"], c)
  }

  /// [L, D] -> [L, D]
  func callAsFunction(_ x: Tensor) -> Tensor {
    let x = backend.add(x, attention(norm1(x)))
    let y = norm2(x)
    return backend.add(x, contract(backend.multiply(gate(y, .gelu), expand(y))))
  }

  /// [L, D] -> [L, D]; logits are not scaled.
  private func attention(_ x: Tensor) -> Tensor {
    let batch = x.reshaped([1, x.shape[0], x.shape[1]])
    let (q, k, v) = (q(batch).split(heads: heads), k(batch).split(heads: heads), v(batch).split(heads: heads))
    let options = AttentionOptions(scale: 1, relativeBias: positions.bias(tokens: x.shape[0]))
    return o(backend.attention(q, k, v, options).reshaped([x.shape[0], o.inputs]))
  }
}
