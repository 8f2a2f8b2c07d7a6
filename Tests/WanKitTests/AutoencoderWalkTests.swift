import Layers
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

/// The walks that plans count with, against the networks themselves on a backend that counts.
struct AutoencoderWalkTests {
  /// What the decoder takes for the third latent frame of each tile, when every convolution has all of its past.
  private func counted(
    _ configuration: VAEConfiguration, _ latents: Shape, _ precision: Precision, _ tiling: VAETiling
  ) throws -> (weights: Int, histories: Int, activations: Int, work: Double) {
    let backend = MeteredBackend()
    let decoder = try network(VAEDecoder.self, configuration, precision, on: backend)
    var decoding = decoder.decoding(backend.zeros(latents, dtype: .f32), tiling: tiling, values: .raw)
    let before = backend.count.live
    var (histories, activations, work) = (0, 0, 0.0)
    while decoding.partsDone < decoding.partCount {
      let isLast = decoding.partsDone % latents[1] == latents[1] - 1
      backend.restart()
      _ = try decoding.next()
      guard isLast else { continue }
      let count = backend.count
      histories = max(histories, count.live - before)
      activations = max(activations, count.peak - count.live)
      work += count.work
    }
    return (backend.count.weights, histories, activations, work)
  }

  private func network<N: Network>(
    _ type: N.Type, _ configuration: N.Configuration, _ precision: Precision, on backend: MeteredBackend
  ) throws -> N {
    let demand = Demand(of: type, configuration)
    return try NetworkPart<N>(OutlineSource(demand), configuration, demand: demand)
      .load(on: backend, precision: precision)
  }

  @Test(
    "the walk counts what the encoder takes: weights exactly, the rest within 15 %; of one frame never too little",
    arguments: [VAEConfiguration.wan21, .wan22], [(9, 240, 416), (9, 480, 832), (1, 704, 1280)])
  func encoder(configuration: VAEConfiguration, clip: (frames: Int, height: Int, width: Int)) throws {
    for precision in [Precision.f32, .bf16] {
      let estimate = VAEEncodingEstimate(
        configuration, frames: clip.frames, height: clip.height, width: clip.width, precision: precision)
      let backend = MeteredBackend()
      let encoder = try network(VAEEncoder.self, configuration, precision, on: backend)
      let before = backend.count.live
      let video = backend.zeros([3, clip.frames, clip.height, clip.width], dtype: .f32)
      backend.restart()
      _ = try encoder(video)
      #expect(estimate.weights == backend.count.weights)
      let ratio = Double(estimate.total - estimate.weights) / Double(backend.count.peak - before)
      // A first frame's past is still growing where the network is widest, and the walk counts all of it.
      let bounds = clip.frames == 1 ? 1.0...1.45 : 0.85...1.15
      #expect(bounds.contains(ratio), "\(clip) \(precision): \(ratio)")
    }
  }

  @Test("81 frames of 1280x720, of which one is given, are encoded within 4.2 GiB")
  func imageToVideo() {
    let estimate = VAEEncodingEstimate(
      .wan21, frames: 81, greyFrames: 80, height: 720, width: 1280, precision: .bf16)
    #expect(estimate.total < 4300 << 20, "\(Double(estimate.total) / 0x1p30) GiB")
  }

  private static let cases: [(VAEConfiguration, Shape)] = [
    (.wan21, [16, 3, 30, 52]), (.wan21, [16, 3, 60, 104]), (.wan22, [48, 3, 22, 40]), (.wan22, [48, 3, 44, 80]),
  ]

  @Test(
    "the walk counts what the decoder takes: weights, past frames and work exactly, activations within 15 %",
    arguments: cases, [VAETiling.whole, VAETiling(rows: 1, columns: 4), VAETiling(rows: 3, columns: 2)])
  func walk(item: (configuration: VAEConfiguration, latents: Shape), tiling: VAETiling) throws {
    for precision in [Precision.f32, .bf16] {
      let estimate = VAEDecodingEstimate(
        item.configuration, latents: item.latents, precision: precision, tiling: tiling)
      let counted = try counted(item.configuration, item.latents, precision, tiling)
      #expect(estimate.weights == counted.weights)
      #expect(estimate.histories == counted.histories)
      #expect(estimate.work == counted.work)
      let ratio = Double(estimate.activations) / Double(counted.activations)
      #expect((0.85...1.15).contains(ratio), "\(item.latents) \(precision) \(tiling): \(ratio)")
    }
  }
}

/// A checkpoint whose matrices and kernels have no elements, so that a network of full size takes no memory.
struct OutlineSource: WeightSource {
  let location = "outline"
  let names: [String]
  private let requests: [String: TensorRequest]

  init(_ demand: Demand) {
    names = demand.requests.map(\.name)
    requests = Dictionary(demand.requests.map { ($0.name, $0) }) { first, _ in first }
  }

  func descriptor(_ name: String) -> TensorDescriptor? {
    requests[name].map { TensorDescriptor(shape: $0.shape, dtype: .bf16) }
  }

  func tensor(_ name: String) throws(WeightError) -> Tensor {
    guard let request = requests[name] else { throw .missing(name: name, location: location) }
    return request.use == .parameter
      ? .zeros(request.shape, dtype: .bf16) : OutlineBackend.outline(request.shape, .bf16)
  }
}
