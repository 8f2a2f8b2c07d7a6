// B prompts, L tokens, Lk text rows, H heads, D the width, d = D / H.

import Layers
import Tensors

/// The linears and norms that both attentions of a block have.
struct AttentionParts: Sendable {
  let q, k, v, o: Linear
  let normQ, normK: RMSNorm
  let heads: Int
  let backend: any Backend
  private let allowsBytes: Bool

  init(_ w: Weights, _ configuration: TransformerConfiguration) {
    let d = configuration.dimension
    (q, k, v, o) = (Linear(w["q"], d, d), Linear(w["k"], d, d), Linear(w["v"], d, d), Linear(w["o"], d, d))
    normQ = RMSNorm(w["norm_q"], d, epsilon: configuration.epsilon)
    normK = RMSNorm(w["norm_k"], d, epsilon: configuration.epsilon)
    heads = configuration.heads
    backend = w.backend
    allowsBytes = w.precision == .int8
  }

  /// q [B, L, H, d], k and v [B, Lk, H, d] -> [B, L, H, d]
  func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, keyBias: Tensor? = nil) -> Tensor {
    backend.attention(q, k, v, .scaled(headDimension: q.shape.last, keyBias: keyBias, allowsBytes: allowsBytes))
  }
}

/// Attention of tokens to each other, with rotary positions on queries and keys.
struct SelfAttention: Sendable {
  private let parts: AttentionParts

  init(_ w: Weights, _ configuration: TransformerConfiguration) {
    parts = AttentionParts(w, configuration)
  }

  /// [B, L, D] -> [B, L, D]
  func callAsFunction(_ x: Tensor, rotary: RotaryTable) -> Tensor {
    parts.o(attended(x, rotary: rotary).reshaped(x.shape))
  }

  /// [B, L, D] -> [B, L, H, d]; queries, keys and values are gone before the last linear.
  private func attended(_ x: Tensor, rotary: RotaryTable) -> Tensor {
    let q = parts.normQ(parts.q(x).split(heads: parts.heads), rotary: rotary)  // [B, L, H, d]
    let k = parts.normK(parts.k(x).split(heads: parts.heads), rotary: rotary)
    let v = parts.v(x).split(heads: parts.heads)
    return parts.attention(q, k, v)
  }
}

/// Attention of tokens to a prompt, whose keys and values are made once.
struct CrossAttention: Sendable {
  private let parts: AttentionParts

  init(_ w: Weights, _ configuration: TransformerConfiguration) {
    parts = AttentionParts(w, configuration)
  }

  /// [B, L, D] -> [B, L, D]
  func callAsFunction(_ x: Tensor, context: TextContext, layer: Int) -> Tensor {
    let q = parts.normQ(parts.q(x)).split(heads: parts.heads)  // [B, L, H, d]
    let (k, v) = (context.keys[layer], context.values[layer])
    let attended = parts.attention(q, k, v, keyBias: context.keyBias)
    return parts.o(attended.reshaped(x.shape))
  }

  /// text [B, Lk, D] -> [B, Lk, H, d] each
  func keysAndValues(_ text: Tensor) -> (keys: Tensor, values: Tensor) {
    (parts.normK(parts.k(text)).split(heads: parts.heads), parts.v(text).split(heads: parts.heads))
  }
}

extension AttentionOptions {
  /// The usual factor 1 / sqrt(d).
  static func scaled(headDimension: Int, keyBias: Tensor? = nil, allowsBytes: Bool = false) -> AttentionOptions {
    AttentionOptions(scale: 1 / Float(headDimension).squareRoot(), keyBias: keyBias, allowsBytes: allowsBytes)
  }
}

extension Tensor {
  /// [B, L, D] -> [B, L, heads, D / heads]
  func split(heads: Int) -> Tensor {
    reshaped([shape[0], shape[1], heads, shape[2] / heads])
  }
}
