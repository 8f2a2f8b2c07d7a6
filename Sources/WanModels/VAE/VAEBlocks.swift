// T frames, H rows, W columns, C channels; activations [T, H, W, C].

import Layers
import Tensors

/// Two normed causal convolutions around a shortcut: `ResidualBlock` in `vae2_1.py`.
struct VAEResidualBlock: Sendable {
  private let norm1, norm2: ChannelNorm
  private let conv1, conv2: CausalConv3D
  private let shortcut: Linear?
  private let backend: any Backend
  let outputs: Int

  init(_ w: Weights, _ inputs: Int, _ outputs: Int) {
    self.outputs = outputs
    backend = w.backend
    norm1 = ChannelNorm(w["residual"][0], inputs, trailing: 3)
    conv1 = CausalConv3D(w["residual"][2], inputs, outputs)
    norm2 = ChannelNorm(w["residual"][3], outputs, trailing: 3)
    conv2 = CausalConv3D(w["residual"][6], outputs, outputs)
    shortcut = inputs == outputs ? nil : Linear(w["shortcut"], inputs, outputs, storedAs: [outputs, inputs, 1, 1, 1])
  }

  func callAsFunction(_ x: Tensor, _ stream: CausalStream) -> Tensor {
    let y = conv2(norm2(conv1(norm1(x, .silu), stream), .silu), stream, output: .f32)
    return backend.add(y, shortcut?(x, output: .f32) ?? x)
  }
}

/// One-head attention among the positions of each frame: `AttentionBlock` in `vae2_1.py`.
struct VAEAttentionBlock: Sendable {
  private let norm: ChannelNorm
  private let q, k, v, projection: Linear
  private let backend: any Backend

  init(_ w: Weights, _ channels: Int) {
    backend = w.backend
    norm = ChannelNorm(w["norm"], channels, trailing: 2)
    let parts = Linear.thirds(w["to_qkv"], channels)
    (q, k, v) = (parts.0, parts.1, parts.2)
    projection = Linear(w["proj"], channels, channels, storedAs: [channels, channels, 1, 1])
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let (frames, positions, c) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
    let y = norm(x).reshaped([frames, positions, 1, c])
    let attended = backend.attention(q(y), k(y), v(y), .scaled(headDimension: c))  // [T, H W, 1, C]
    return backend.add(x, projection(attended.reshaped(x.shape), output: .f32))
  }
}

/// Middle of both halves: residual, attention, residual.
struct VAEMiddle: Sendable {
  private let first, last: VAEResidualBlock
  private let attention: VAEAttentionBlock

  init(_ w: Weights, _ channels: Int) {
    first = VAEResidualBlock(w[0], channels, channels)
    attention = VAEAttentionBlock(w[1], channels)
    last = VAEResidualBlock(w[2], channels, channels)
  }

  func callAsFunction(_ x: Tensor, _ stream: CausalStream) -> Tensor {
    last(attention(first(x, stream)), stream)
  }
}

/// Norm, SiLU and the last convolution of both halves.
struct VAEHead: Sendable {
  private let norm: ChannelNorm
  private let conv: CausalConv3D

  init(_ w: Weights, _ inputs: Int, _ outputs: Int) {
    norm = ChannelNorm(w[0], inputs, trailing: 3)
    conv = CausalConv3D(w[2], inputs, outputs)
  }

  func callAsFunction(_ x: Tensor, _ stream: CausalStream) -> Tensor {
    conv(norm(x, .silu), stream)
  }
}
