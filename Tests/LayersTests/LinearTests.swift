import Layers
import Tensors
import TestSupport
import Testing

struct LinearTests {
  private let backend = ReferenceBackend()

  private func weights(_ tensors: [(name: String, tensor: Tensor)], _ precision: Precision = .f32) -> Weights {
    Weights(MemorySource(tensors), backend: backend, precision: precision)
  }

  @Test("the thirds of a joined projection are its rows")
  func thirds() {
    let (weight, bias) = (Tensor.random([12, 4, 1, 1], seed: 1), Tensor.random([12], seed: 2))
    let x = Tensor.random([5, 4], seed: 3)
    let joined = Linear(weights([("weight", weight), ("bias", bias)]), 4, 12, storedAs: [12, 4, 1, 1])(x).floats()
    let (q, k, v) = Linear.thirds(weights([("weight", weight), ("bias", bias)]), 4)
    for (i, third) in [q, k, v].enumerated() {
      var expected: [Float] = []
      for row in 0..<5 { expected += joined[(row * 12 + 4 * i)...].prefix(4) }
      #expect(third(x).floats() == expected)
    }
  }

  @Test("outputs have the type of the precision unless a call asks for another", arguments: Precision.allCases)
  func outputs(precision: Precision) {
    let w = weights([("weight", .random([3, 2], seed: 4))], precision)
    let linear = Linear(w, 2, 3, bias: false)
    let x = Tensor.random([4, 2], seed: 5, dtype: precision.activations)
    #expect(linear(x).dtype == precision.activations)
    #expect(linear(x, output: .f32).dtype == .f32)
    #expect(linear.inputs == 2 && linear.outputs == 3)
  }

  @Test("one tensor of two missing is one error, and nothing is prepared")
  func half() {
    let w = weights([("weight", .zeros([3, 2]))])
    _ = Linear(w, 2, 3)
    #expect(throws: WeightError.missing(name: "bias", location: "memory")) { try w.finish() }
  }

  @Test("an embedding gives its rows in float32", arguments: [DType.f32, .bf16])
  func embedding(dtype: DType) {
    let table = Tensor((0..<8).map { Float($0) }, shape: [4, 2]).converted(to: dtype)
    let rows = Embedding(weights([("weight", table)]), 4, 2)([3, 0, 3])
    #expect(rows.dtype == .f32)
    #expect(rows.floats() == [6, 7, 0, 1, 6, 7])
  }

  @Test("the channel norm takes its scale with trailing axes")
  func channelNorm() {
    let norm = ChannelNorm(weights([("gamma", Tensor([2, 1], shape: [2, 1, 1]))]), 2, trailing: 2)
    #expect(
      relativeError(norm(Tensor([3, 4], shape: [1, 2])).floats(), [6, 4].map { $0 * Float(2).squareRoot() / 5 }) < 1e-6)
  }
}
