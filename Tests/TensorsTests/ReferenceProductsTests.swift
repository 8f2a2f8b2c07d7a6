import Tensors
import TestSupport
import Testing

@Suite("Reference backend: products")
struct ReferenceProductsTests {
  let backend = ReferenceBackend()

  @Test("linear multiplies rows by rows and adds the bias")
  func linear() {
    let weight = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
    let linear = backend.prepare(.dense(weight), bias: Tensor([10, 20, 30], shape: [3]), precision: .f32)
    let y = linear(Tensor([1, 1, 2, -1], shape: [1, 2, 2]))
    #expect(linear.inputs == 2 && linear.outputs == 3)
    #expect(y.shape == [1, 2, 3])
    #expect(y.floats() == [13, 27, 41, 10, 22, 34])
  }

  @Test("linear applies its activation before it rounds the output")
  func linearActivation() {
    let linear = backend.prepare(.dense(Tensor([1], shape: [1, 1])), bias: nil, precision: .f32)
    let y = linear(Tensor([-1, 0, 2], shape: [3, 1]), activation: .silu, output: .bf16)
    #expect(y.dtype == .bf16)
    #expect(relativeError(y.floats(), [-0.26894143, 0, 1.7615942]) < 4e-3)
  }

  @Test("bfloat16 linears round weights and inputs, not the sum")
  func bfloat16Linear() {
    let fine = Float(bitPattern: 0x3F80_4000)  // 1 + 2^-7 / 2: rounds to 1 in bfloat16
    let linear = backend.prepare(.dense(Tensor([fine, fine], shape: [1, 2])), bias: nil, precision: .bf16)
    let y = linear(Tensor([fine, 0x1p-12], shape: [1, 2]))
    #expect(y.floats() == [1 + 0x1p-12])
  }

  @Test("linear takes an empty batch and no inputs")
  func emptyLinears() {
    let linear = backend.prepare(.dense(Tensor.zeros([3, 2])), bias: nil, precision: .f32)
    #expect(linear(Tensor.zeros([0, 2])).shape == [0, 3])
    let constant = backend.prepare(.dense(.zeros([2, 0])), bias: Tensor([1, 2], shape: [2]), precision: .f32)
    #expect(constant(Tensor.zeros([2, 0])).floats() == [1, 2, 1, 2])
  }

  @Test("convolution over space: a 2x2 kernel, padding on two sides, stride 2")
  func spatialConvolution() {
    let x = Tensor((1...9).map(Float.init), shape: [1, 3, 3, 1])
    let geometry = ConvolutionGeometry(
      stride: (1, 2, 2), padding: .init(top: 0, bottom: 1, left: 0, right: 1))
    let convolution = backend.prepare(
      kernel: Tensor([1, 10, 100, 1000], shape: [1, 1, 1, 2, 2]), bias: Tensor([0.5], shape: [1]), geometry: geometry,
      precision: .f32)
    let y = convolution(x)
    #expect(y.shape == [1, 2, 2, 1])
    #expect(y.floats() == [5421.5, 603 + 0.5, 87.5, 9.5])
  }

  @Test("convolution over channels reads [N, C] weights")
  func channelConvolution() {
    let x = Tensor([1, 2, 3, 4], shape: [1, 1, 2, 2])
    let convolution = backend.prepare(
      kernel: Tensor([1, 10, 100, 1000], shape: [2, 2, 1, 1, 1]), bias: nil,
      geometry: .init(padding: .init(all: 0)), precision: .f32)
    let y = convolution(x)
    #expect(y.floats() == [21, 2100, 43, 4300])
  }

  @Test("convolution over time: zeros, then history, then the input")
  func causalConvolution() {
    let x = Tensor([1, 2], shape: [2, 1, 1, 1])
    func prepared(_ geometry: ConvolutionGeometry) -> any PreparedConvolution {
      backend.prepare(
        kernel: Tensor([100, 10, 1], shape: [1, 1, 3, 1, 1]), bias: nil, geometry: geometry, precision: .f32)
    }
    let convolution = prepared(ConvolutionGeometry(leadingFrames: 2, padding: .init(all: 0)))
    func run(_ history: Tensor?) -> [Float] { convolution(x, history: history, output: .f32).floats() }
    #expect(run(nil) == [1, 12])
    #expect(run(Tensor([9], shape: [1, 1, 1, 1])) == [91, 912])
    #expect(run(Tensor([8, 9], shape: [2, 1, 1, 1])) == [891, 912])
    let strided = ConvolutionGeometry(stride: (2, 1, 1), leadingFrames: 2, padding: .init(all: 0))
    let everyOther = prepared(strided)
    let y = everyOther(Tensor([1, 2, 3], shape: [3, 1, 1, 1]))
    #expect(y.floats() == [1, 123])
  }

  @Test("an upsampled convolution sees each pixel four times")
  func upsampledConvolution() {
    var kernel = [Float](repeating: 0, count: 9)
    (kernel[4], kernel[5]) = (1, 10)
    let convolution = backend.prepare(
      kernel: Tensor(kernel, shape: [1, 1, 1, 3, 3]), bias: nil, geometry: .doubling, precision: .f32)
    let y = convolution(Tensor([1, 2], shape: [1, 1, 2, 1]))
    #expect(y.shape == [1, 2, 4, 1])
    #expect(y.floats() == [11, 21, 22, 2, 11, 21, 22, 2])
  }

  @Test("attention weighs values by the softmax of the logits")
  func attention() {
    let q = Tensor([1], shape: [1, 1, 1, 1])
    let k = Tensor([0, 1.0986123], shape: [1, 2, 1, 1])  // exp gives 1 and 3
    let v = Tensor([4, 8], shape: [1, 2, 1, 1])
    #expect(relativeError(backend.attention(q, k, v, .init(scale: 1)).floats(), [7]) < 1e-6)
    #expect(relativeError(backend.attention(q, k, v, .init(scale: 0)).floats(), [6]) < 1e-6)
  }

  @Test("a key bias of ln 2 counts a key twice, one of -infinity not at all")
  func keyBias() {
    let q = Tensor([1, 1], shape: [2, 1, 1, 1])
    let k = Tensor.zeros([2, 2, 1, 1])
    let v = Tensor([3, 6, 3, 6], shape: [2, 2, 1, 1])
    let bias = Tensor([0.6931472, 0, -.infinity, 0], shape: [2, 2])
    let y = backend.attention(q, k, v, .init(scale: 1, keyBias: bias))
    #expect(relativeError(y.floats(), [4, 6]) < 1e-6)
  }

  @Test("attention without a visible key is zero")
  func noKeys() {
    let q = Tensor([1, 2], shape: [1, 1, 1, 2])
    let none = Tensor.zeros([1, 0, 1, 2])
    #expect(backend.attention(q, none, none, .init(scale: 1)).floats() == [0, 0])
    let one = Tensor([5, 5], shape: [1, 1, 1, 2])
    let bias = Tensor([-.infinity], shape: [1, 1])
    #expect(backend.attention(q, one, one, .init(scale: 1, keyBias: bias)).floats() == [0, 0])
  }

  @Test("a relative bias depends on key minus query, per head")
  func relativeBias() {
    let (lq, lk) = (2, 3)
    let q = Tensor.zeros([1, lq, 2, 1])
    let v = Tensor([1, 10, 2, 20, 3, 30], shape: [1, lk, 2, 1])
    var bias = [Float](repeating: -.infinity, count: 2 * (lq + lk - 1))
    bias[1 + lq - 1] = 0  // head 0 sees the next key
    bias[(lq + lk - 1) + lq - 1] = 0  // head 1 sees its own key
    let y = backend.attention(
      q, Tensor.zeros([1, lk, 2, 1]), v, .init(scale: 1, relativeBias: Tensor(bias, shape: [2, lq + lk - 1])))
    #expect(y.floats() == [2, 10, 3, 20])
  }

  @Test("attention keeps batch items and heads apart and returns the inputs' type")
  func batches() {
    let v = Tensor.random([2, 1, 3, 4], seed: 1, dtype: .bf16)
    let q = Tensor.random([2, 5, 3, 4], seed: 2, dtype: .bf16)
    let y = backend.attention(q, v, v, .init(scale: 0.5))
    #expect(y.dtype == .bf16)
    for item in 0..<2 {
      for query in 0..<5 { #expect(y[item][query].floats() == v[item][0].floats()) }
    }
  }
}
