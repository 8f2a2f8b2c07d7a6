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

  /// x [B, L, D] float32, the residual stream; e0 [6, R, D].
  func callAsFunction(
    _ x: inout Tensor, e0: Tensor, runs: [RowTable.Run], rotary: RotaryTable, context: TextContext, layer: Int
  ) {
    let m = Modulation(learned: modulation, e: e0, runs: runs, backend)  // shift, scale, gate of both sub-layers
    backend.addGated(selfAttention(norm1(x, scale: m.scale(1), shift: m[0]), rotary: rotary), gate: m[2], to: &x)
    x = backend.add(x, crossAttention(norm3(x), context: context, layer: layer))
    backend.addGated(contract(expand(norm2(x, scale: m.scale(4), shift: m[3]), .gelu)), gate: m[5], to: &x)
  }

  /// The keys and values of `text` [B, Lk, D], for ``TextContext``.
  func keysAndValues(_ text: Tensor) -> (keys: Tensor, values: Tensor) {
    crossAttention.keysAndValues(text)
  }
}
