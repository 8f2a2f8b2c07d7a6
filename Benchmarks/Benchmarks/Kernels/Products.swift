import Benchmark
import CPUBackend
import Tensors

/// The linears of one TI2V-5B layer at 1080 tokens.
func registerLinears(_ backend: CPUBackend) {
  for (m, k, n) in [(1080, 3072, 3072), (1080, 3072, 14336), (1080, 14336, 3072)] {
    for precision in Precision.allCases {
      kernel("linear \(m)x\(k)x\(n) \(precision.rawValue)", .operations(2 * m * k * n)) {
        let x = random([m, k], precision.activations)
        let linear = backend.prepare(.dense(random([n, k], .bf16)), bias: Tensor.zeros([n]), precision: precision)
        return { blackHole(linear(x, activation: .none, output: precision.activations)) }
      }
    }
  }
}

/// Self-attention of the TI2V-5B transformer, and its cross-attention to 512 rows of text.
func registerAttention(_ backend: CPUBackend) {
  let (queries, heads, width) = (2420, 24, 128)
  for (what, keys) in [("self", queries), ("cross", 512)] {
    for precision in Precision.allCases {
      let operations = 4 * heads * queries * keys * width
      kernel("\(what)-attention \(queries)x\(keys), \(heads) heads, \(precision.rawValue)", .operations(operations)) {
        let dtype = precision.activations
        let q = random([1, queries, heads, width], dtype)
        let k = random([1, keys, heads, width], dtype)
        let v = random([1, keys, heads, width], dtype)
        let options = AttentionOptions(scale: 1 / Float(width).squareRoot(), allowsBytes: precision == .int8)
        return { blackHole(backend.attention(q, k, v, options)) }
      }
    }
  }
}

/// The 3x3x3 convolution of each stage of the decoders, in the chunk of one latent frame of 256x256 pixels.
func registerConvolutions(_ backend: CPUBackend) {
  // Frames, rows and columns, channels.
  let stages = [
    ("2.2 stage 1", 1, 16, 1024), ("2.2 stage 2", 2, 32, 1024), ("2.2 stage 3", 4, 64, 512),
    ("2.2 stage 4", 4, 128, 256), ("2.1 stage 4", 4, 256, 96),
  ]
  let geometry = ConvolutionGeometry(leadingFrames: 2, padding: .init(all: 1))
  for (name, frames, side, channels) in stages {
    for precision in [Precision.f32, .bf16] {
      let operations = 2 * 27 * frames * side * side * channels * channels
      let size = "\(frames)x\(side)x\(side)x\(channels)"
      kernel("convolution \(name), \(size), \(precision.rawValue)", .operations(operations)) {
        let dtype = precision.activations
        let x = random([frames, side, side, channels], dtype)
        let history = random([2, side, side, channels], dtype)
        let convolution = backend.prepare(
          kernel: random([channels, channels, 3, 3, 3], .bf16), bias: Tensor.zeros([channels]), geometry: geometry,
          precision: precision)
        return { blackHole(convolution(x, history: history, activation: .none, output: dtype)) }
      }
    }
  }
}
