// B prompts, L tokens, Lk text rows, H heads, D the width, d = D / H.

import Layers
import Tensors

/// Self-attention, cross-attention to the prompt, feed-forward: published as `WanAttentionBlock` in `model.py`.
struct WanAttentionBlock: Sendable {
  private let modulation: Tensor  // [6, D]
  private let norm1, norm2: ModulatedNorm
  private let norm3: LayerNorm
  private let selfAttention: SelfAttention
  private let crossAttention: CrossAttention
  private let expand, contract: Linear
  private let backend: any Backend

  init(_ w: Weights, _ configuration: TransformerConfiguration) {
    let d = configuration.dimension
    backend = w.backend
    modulation = w.parameter("modulation", [6, d], storedAs: [1, 6, d])
    norm1 = ModulatedNorm(w, epsilon: configuration.epsilon)
    norm2 = ModulatedNorm(w, epsilon: configuration.epsilon)
    norm3 = LayerNorm(w["norm3"], d, epsilon: configuration.epsilon)
    selfAttention = SelfAttention(w["self_attn"], configuration)
    crossAttention = CrossAttention(w["cross_attn"], configuration)
    expand = Linear(w["ffn"][0], d, configuration.feedForward)
    contract = Linear(w["ffn"][2], configuration.feedForward, d)
  }

  /// x [B, L, D] float32, the residual stream; e0 [R, 6, D].
  func callAsFunction(
    _ x: inout Tensor, e0: Tensor, runs: [RowTable.Run], rotary: RotaryTable, context: TextContext, layer: Int
  ) {
    let attn = Modulation(learned: modulation, e: e0, first: 0, runs: runs)
    let mlp = Modulation(learned: modulation, e: e0, first: 3, runs: runs)
    backend.addGated(
      selfAttention(norm1(x, scale: attn.scale, shift: attn.shift), rotary: rotary), gate: attn.gate, to: &x)
    x = backend.add(x, crossAttention(norm3(x), context: context, layer: layer))
    backend.addGated(contract(expand(norm2(x, scale: mlp.scale, shift: mlp.shift), .gelu)), gate: mlp.gate, to: &x)
  }

  /// The keys and values of `text` [B, Lk, D], for ``TextContext``.
  func keysAndValues(_ text: Tensor) -> (keys: Tensor, values: Tensor) {
    crossAttention.keysAndValues(text)
  }
}

/// Attention of tokens to each other, with rotary positions on queries and keys.
struct SelfAttention: Sendable {
  private let q, k, v, o: Linear
  private let normQ, normK: RMSNorm
  private let heads: Int
  private let backend: any Backend

  init(_ w: Weights, _ configuration: TransformerConfiguration) {
    let d = configuration.dimension
    (q, k, v, o) = (Linear(w["q"], d, d), Linear(w["k"], d, d), Linear(w["v"], d, d), Linear(w["o"], d, d))
    normQ = RMSNorm(w["norm_q"], d, epsilon: configuration.epsilon)
    normK = RMSNorm(w["norm_k"], d, epsilon: configuration.epsilon)
    heads = configuration.heads
    backend = w.backend
  }

  /// [B, L, D] -> [B, L, D]
  func callAsFunction(_ x: Tensor, rotary: RotaryTable) -> Tensor {
    let q = normQ(q(x).split(heads: heads), rotary: rotary)  // [B, L, H, d]
    let k = normK(k(x).split(heads: heads), rotary: rotary)
    let v = v(x).split(heads: heads)
    return o(backend.attention(q, k, v, .scaled(headDimension: q.shape.last)).reshaped(x.shape))
  }
}

/// Attention of tokens to a prompt, whose keys and values are made once.
struct CrossAttention: Sendable {
  private let q, k, v, o: Linear
  private let normQ, normK: RMSNorm
  private let heads: Int
  private let backend: any Backend

  init(_ w: Weights, _ configuration: TransformerConfiguration) {
    let d = configuration.dimension
    (q, k, v, o) = (Linear(w["q"], d, d), Linear(w["k"], d, d), Linear(w["v"], d, d), Linear(w["o"], d, d))
    normQ = RMSNorm(w["norm_q"], d, epsilon: configuration.epsilon)
    normK = RMSNorm(w["norm_k"], d, epsilon: configuration.epsilon)
    heads = configuration.heads
    backend = w.backend
  }

  /// [B, L, D] -> [B, L, D]
  func callAsFunction(_ x: Tensor, context: TextContext, layer: Int) -> Tensor {
    let q = normQ(q(x)).split(heads: heads)  // [B, L, H, d]
    let options = AttentionOptions.scaled(headDimension: q.shape.last, keyBias: context.keyBias)
    return o(backend.attention(q, context.keys[layer], context.values[layer], options).reshaped(x.shape))
  }

  /// text [B, Lk, D] -> [B, Lk, H, d] each
  func keysAndValues(_ text: Tensor) -> (keys: Tensor, values: Tensor) {
    (normK(k(text)).split(heads: heads), v(text).split(heads: heads))
  }
}

extension AttentionOptions {
  /// The usual factor 1 / sqrt(d).
  static func scaled(headDimension: Int, keyBias: Tensor? = nil) -> AttentionOptions {
    AttentionOptions(scale: 1 / Float(headDimension).squareRoot(), keyBias: keyBias)
  }
}

extension Tensor {
  /// [B, L, D] -> [B, L, heads, D / heads]
  func split(heads: Int) -> Tensor {
    reshaped([shape[0], shape[1], heads, shape[2] / heads])
  }
}
