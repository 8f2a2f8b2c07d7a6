// L tokens of width D, as in the TI2V-5B transformer at 2420 tokens.

import Benchmark
import CPUBackend
import Tensors

private let (l, d, heads) = (2420, 3072, 24)
private let floats = l * d * 4
private let halves = l * d * 2

/// The norms of a transformer layer with what is fused to them, and the rotary embedding.
func registerNorms(_ backend: CPUBackend) {
  kernel("layerNorm, modulated, [\(l), \(d)] f32 to bf16", .bytes(floats + halves)) {
    let x = random([1, l, d])
    let (scale, shift) = (rows(), rows())
    return { blackHole(backend.layerNorm(x, scale: scale, shift: shift, epsilon: 1e-6, output: .bf16)) }
  }
  kernel("rmsNorm [\(l), \(d)] bf16", .bytes(2 * halves)) {
    let (x, weight) = (random([l, d], .bf16), random([d]))
    return { blackHole(backend.rmsNorm(x, weight: weight, epsilon: 1e-6, output: .bf16)) }
  }
  kernel("rotary [\(l), \(heads), 128] bf16", .bytes(2 * halves)) {
    let (x, table) = (random([1, l, heads, 128], .bf16), random([l, 64, 2]))
    return { blackHole(backend.rotary(x, table: table)) }
  }
  kernel("rmsNormRotary [\(l), \(heads), 128] bf16", .bytes(2 * halves)) {
    let (x, weight, table) = (random([1, l, heads, 128], .bf16), random([d]), random([l, 64, 2]))
    return { blackHole(backend.rmsNormRotary(x, weight: weight, epsilon: 1e-6, table: table)) }
  }
  kernel("channelNorm, SiLU, 4x128x128x256 bf16", .bytes(4 * 128 * 128 * 256 * 4)) {
    let (x, gamma) = (random([4, 128, 128, 256], .bf16), random([256]))
    return { blackHole(backend.channelNorm(x, gamma: gamma, activation: .silu)) }
  }
}

/// Pointwise operations: the gated residual, activations, widening and rounding.
func registerElementwise(_ backend: CPUBackend) {
  kernel("addGated [\(l), \(d)] bf16 to f32", .bytes(2 * floats + halves)) {
    let (y, gate) = (random([1, l, d], .bf16), rows())
    var x = random([1, l, d])
    return { backend.addGated(y, gate: gate, to: &x) }
  }
  for activation in [Activation.silu, .gelu] {
    kernel("\(activation) [\(l), \(d)] bf16", .bytes(2 * halves)) {
      let x = random([l, d], .bf16)
      return { blackHole(backend.activate(x, activation)) }
    }
  }
  kernel("add [\(l), \(d)] f32", .bytes(3 * floats)) {
    let (x, y) = (random([l, d]), random([l, d]))
    return { blackHole(backend.add(x, y)) }
  }
  kernel("widen [\(l), \(d)] bf16 to f32", .bytes(floats + halves)) {
    let x = random([l, d], .bf16)
    return { blackHole(backend.cast(x, to: .f32)) }
  }
  kernel("round [\(l), \(d)] f32 to bf16", .bytes(floats + halves)) {
    let x = random([l, d])
    return { blackHole(backend.cast(x, to: .bf16)) }
  }
}

/// One row of modulation for every token.
private func rows() -> RowTable {
  RowTable(uniform: random([d]), tokens: l)
}
