import Layers
import Tensors
import TestSupport
import Testing

struct ConvolutionTests {
  private let backend = ReferenceBackend()

  private func weights(_ tensors: [(name: String, tensor: Tensor)]) -> Weights {
    Weights(MemorySource(tensors), backend: backend, precision: .f32)
  }

  private func causal(kernel: (time: Int, height: Int, width: Int), timeStride: Int = 1) -> CausalConv3D {
    let w = weights([
      ("weight", .random([3, 2, kernel.time, kernel.height, kernel.width], seed: 1)), ("bias", .random([3], seed: 2)),
    ])
    return CausalConv3D(w, 2, 3, kernel: kernel, timeStride: timeStride)
  }

  /// Cuts `frames` into random pieces, each a multiple of `unit`; none is empty.
  private func pieces(of frames: Int, unit: Int, seed: UInt64) -> [Range<Int>] {
    var random = SeededGenerator(seed: seed)
    var ranges: [Range<Int>] = []
    var next = 0
    while next < frames {
      let count = unit * Int.random(in: 1...max(1, min(4, (frames - next) / unit)), using: &random)
      ranges.append(next..<min(frames, next + count))
      next += count
    }
    return ranges
  }

  @Test("a clip in chunks gives what the whole clip gives", arguments: 0..<8)
  func chunks(seed: UInt64) {
    let x = Tensor.random([11, 3, 2, 2], seed: seed)
    for conv in [causal(kernel: (3, 3, 3)), causal(kernel: (3, 1, 1)), causal(kernel: (1, 3, 3))] {
      expectSame(conv, x, unit: 1, seed: seed)
    }
    expectSame(causal(kernel: (3, 1, 1), timeStride: 2), x.slice(0..<10), unit: 2, seed: seed)
  }

  private func expectSame(_ conv: CausalConv3D, _ x: Tensor, unit: Int, seed: UInt64) {
    let whole = conv(x, CausalStream())
    let stream = CausalStream()
    let parts = pieces(of: x.shape[0], unit: unit, seed: seed).map { conv(x.slice($0), stream) }
    let joined = backend.concatenated(parts)
    #expect(joined.shape == whole.shape)
    #expect(relativeError(joined, whole) <= 1e-6)
  }

  @Test("no frame sees a later one")
  func causality() {
    let conv = causal(kernel: (3, 3, 3))
    let x = Tensor.random([6, 2, 2, 2], seed: 4)
    let start = conv(x.slice(0..<4), CausalStream())
    #expect(conv(x, CausalStream()).slice(0..<4).floats() == start.floats())
  }

  @Test("streams of one layer do not mix")
  func streams() {
    let conv = causal(kernel: (3, 1, 1))
    let (x, y) = (Tensor.random([2, 1, 1, 2], seed: 5), Tensor.random([2, 1, 1, 2], seed: 6))
    let (a, b) = (CausalStream(), CausalStream())
    _ = conv(x, a)
    _ = conv(y, b)
    let later = conv(x, a).floats()
    #expect(later == conv(backend.concatenated([x, x]), CausalStream()).slice(2..<4).floats())
  }

  @Test("halving pads right and below only")
  func halving() {
    let kernel = Tensor.random([1, 1, 3, 3], seed: 7)
    let x = Tensor.random([1, 4, 6, 1], seed: 8)
    let y = FrameConv2D.halving(weights([("weight", kernel), ("bias", .zeros([1]))]), 1, 1)(x)
    let (k, v) = (kernel.floats(), x.floats())
    var expected: [Float] = []
    for row in 0..<2 {
      for column in 0..<3 {
        var sum: Float = 0
        for i in 0..<3 where 2 * row + i < 4 {
          for j in 0..<3 where 2 * column + j < 6 { sum += k[i * 3 + j] * v[(2 * row + i) * 6 + 2 * column + j] }
        }
        expected.append(sum)
      }
    }
    #expect(y.shape == [1, 2, 3, 1])
    #expect(relativeError(y.floats(), expected) <= 1e-6)
  }

  @Test("doubling is a convolution over repeated pixels")
  func doubling() {
    let kernel = Tensor.random([3, 2, 3, 3], seed: 9)
    let bias = Tensor.random([3], seed: 10)
    let x = Tensor.random([2, 3, 2, 2], seed: 11)
    let y = FrameConv2D.doubling(weights([("weight", kernel), ("bias", bias)]), 2, 3)(x)
    let v = x.floats()
    let repeated = Tensor.filled(shape: [2, 6, 4, 2]) { span in
      for i in 0..<span.count {
        let (c, column, row, frame) = (i % 2, i / 2 % 4, i / 8 % 6, i / 48)
        span[i] = v[((frame * 3 + row / 2) * 2 + column / 2) * 2 + c]
      }
    }
    let plain = CausalConv3D(
      weights([("weight", kernel.reshaped([3, 2, 1, 3, 3])), ("bias", bias)]), 2, 3, kernel: (1, 3, 3))
    #expect(relativeError(y, plain(repeated, CausalStream())) <= 1e-5)
  }
}
