import Layers
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

/// The walk that plans count with, against the decoder itself on a backend that counts.
struct DecodingEstimateTests {
  /// What the decoder takes for the third latent frame of each tile, when every convolution has all of its past.
  private func counted(
    _ configuration: VAEConfiguration, _ latents: Shape, _ precision: Precision, _ tiling: VAETiling
  ) throws -> (weights: Int, histories: Int, activations: Int, work: Double) {
    let backend = MeteredBackend()
    let demand = Demand(of: VAEDecoder.self, configuration)
    let decoder = try NetworkPart<VAEDecoder>(OutlineSource(demand), configuration, demand: demand)
      .load(on: backend, precision: precision)
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
private struct OutlineSource: WeightSource {
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
