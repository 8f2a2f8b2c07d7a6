import Tensors
import TestSupport
import Testing

@Suite("Reference backend: norms, elementwise and layout")
struct ReferenceNormsTests {
  let backend = ReferenceBackend()

  @Test("layer norm takes each token's own scale and shift")
  func layerNorm() {
    let x = Tensor([1, 3, 5, 9, 1, 3, 5, 9], shape: [2, 2, 2])
    let runs = [RowTable.Run(row: 1, count: 1), .init(row: 0, count: 1)]
    let scale = RowTable(Tensor([1, 1, 2, 2], shape: [2, 2]), runs: runs)
    let shift = RowTable(Tensor([0, 0, 10, 20], shape: [2, 2]), runs: runs)
    let y = backend.layerNorm(x, scale: scale, shift: shift, epsilon: 0, output: .f32)
    #expect(y.floats() == [8, 22, -1, 1, 8, 22, -1, 1])
  }

  @Test("layer norm's epsilon is added to the variance")
  func layerNormEpsilon() {
    let one = RowTable(uniform: Tensor([1, 1], shape: [2]), tokens: 1)
    let zero = RowTable(uniform: Tensor([0, 0], shape: [2]), tokens: 1)
    let y = backend.layerNorm(Tensor([-1, 1], shape: [1, 1, 2]), scale: one, shift: zero, epsilon: 3, output: .bf16)
    #expect(y.dtype == .bf16 && y.floats() == [-0.5, 0.5])
  }

  @Test("RMS norm divides by the root of the mean square")
  func rmsNorm() {
    let y = backend.rmsNorm(
      Tensor([1, 7, 0, 0], shape: [2, 2]), weight: Tensor([5, 10], shape: [2]), epsilon: 0.0, output: .f32)
    #expect(Array(y.floats().prefix(2)) == [1, 14])
    let small = backend.rmsNorm(
      Tensor([0, 0], shape: [1, 2]), weight: Tensor([1, 1], shape: [2]), epsilon: 1e-6, output: .f32)
    #expect(small.floats() == [0, 0])
  }

  @Test("channel norm scales to length sqrt(C), then applies gamma and the activation")
  func channelNorm() {
    let x = Tensor([3, 4, 0, 0], shape: [2, 2])
    let y = backend.channelNorm(x, gamma: Tensor([1, 2], shape: [2]), activation: .none)
    #expect(relativeError(y.floats(), [0.84852814, 2.2627417, 0, 0]) < 1e-6)
    let z = backend.channelNorm(x, gamma: Tensor([1, 2], shape: [2]), activation: .silu)
    #expect(relativeError(z, backend.activate(y, .silu)) < 1e-6)
  }

  @Test("rotary turns each pair by its token's angle")
  func rotary() {
    let x = Tensor([1, 0, 1, 0, 2, 3, 2, 3], shape: [1, 2, 2, 2])
    let table = Tensor([0, 1, -1, 0], shape: [2, 1, 2])  // a quarter turn, then a half turn
    #expect(backend.rotary(x, table: table).floats() == [0, 1, 0, 1, -2, -3, -2, -3])
  }

  @Test("RMS norm and rotary together run over all heads")
  func rmsNormRotary() {
    let x = Tensor([1, 1, 1, 5], shape: [1, 1, 2, 2])
    let weight = Tensor([1, 1, 1, 1], shape: [4])
    let y = backend.rmsNormRotary(x, weight: weight, epsilon: 0, table: Tensor([0, 1], shape: [1, 1, 2]))
    let root = Float(7).squareRoot()
    #expect(relativeError(y.floats(), [-1 / root, 1 / root, -5 / root, 1 / root]) < 1e-6)
  }

  @Test("a gated sum leaves other holders of the tensor alone")
  func addGated() {
    var x = Tensor([1, 2, 3, 4], shape: [1, 2, 2])
    let before = x
    let gate = RowTable(Tensor([1, 10], shape: [1, 2]), runs: [.init(row: 0, count: 2)])
    backend.addGated(Tensor([1, 1, 2, 2], shape: [1, 2, 2]).converted(to: .bf16), gate: gate, to: &x)
    #expect(x.floats() == [2, 12, 5, 24])
    #expect(before.floats() == [1, 2, 3, 4])
  }

  @Test("sums and products take the first tensor's type")
  func elementwise() {
    let x = Tensor([1, 2], shape: [2])
    let y = Tensor([3, -4], shape: [2]).converted(to: .bf16)
    #expect(backend.add(x, y).floats() == [4, -2])
    #expect(backend.multiply(y, x).floats() == [3, -8])
    #expect(backend.multiply(y, x).dtype == .bf16)
    #expect(backend.cast(y, to: .f32).floats() == [3, -4])
  }

  @Test("activations at known points")
  func activations() {
    let x = Tensor([-1, 0, 1], shape: [3])
    #expect(backend.activate(x, .none).floats() == [-1, 0, 1])
    #expect(relativeError(backend.activate(x, .silu).floats(), [-0.26894143, 0, 0.7310586]) < 1e-6)
    #expect(relativeError(backend.activate(x, .gelu).floats(), [-0.158808, 0, 0.841192]) < 1e-6)
    #expect(backend.activate(x, .relu).floats() == [0, 0, 1])
    #expect(backend.activate(Tensor([.nan], shape: [1]), .relu).floats()[0].isNaN)
    let far = backend.activate(Tensor([-1000, 1000], shape: [2]), .gelu)
    #expect(far.floats() == [0, 1000])
    #expect(backend.activate(Tensor([-1000, 1000], shape: [2]), .silu).floats() == [0, 1000])
  }

  @Test("gather, permute and join")
  func layout() {
    let x = Tensor([0, 1, 2, 3, 4, 5], shape: [2, 3])
    #expect(backend.gather(x, indices: [1, 0, 1], output: .f32).floats() == [3, 4, 5, 0, 1, 2, 3, 4, 5])
    #expect(backend.gather(x, indices: [], output: .bf16).shape == [0, 3])
    #expect(backend.permuted(x, [1, 0]).floats() == [0, 3, 1, 4, 2, 5])
    #expect(backend.concatenated([x, x.slice(1..<2)]).shape == [3, 3])
    let cube = Tensor((0..<24).map(Float.init), shape: [2, 3, 4])
    let turned = backend.permuted(cube, [2, 0, 1])
    #expect(turned.shape == [4, 2, 3])
    #expect(turned[1].floats() == [1, 5, 9, 13, 17, 21])
    #expect(backend.permuted(turned, [1, 2, 0]).floats() == cube.floats())
    #expect(backend.permuted(Tensor.zeros([2, 0, 3]), [1, 2, 0]).shape == [0, 3, 2])
  }

  @Test("groups are averaged, elements repeated")
  func groups() {
    let x = Tensor([1, 3, 5, 7], shape: [1, 4])
    #expect(backend.meanOfGroups(x, size: 2).floats() == [2, 6])
    #expect(backend.repeatedElements(x, count: 2).floats() == [1, 1, 3, 3, 5, 5, 7, 7])
    #expect(backend.meanOfGroups(backend.repeatedElements(x, count: 3), size: 3).floats() == x.floats())
  }

  @Test("wrong shapes trap")
  func traps() async {
    await #expect(processExitsWith: .failure) {
      _ = ReferenceBackend().add(Tensor.zeros([2]), Tensor.zeros([3]))
    }
  }
}
