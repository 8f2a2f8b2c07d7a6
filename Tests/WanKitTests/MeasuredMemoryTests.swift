import CPUBackend
import Layers
import Tensors
import TestSupport
import Testing
import WanKit

@testable import WanModels

/// What plans estimate, against the bytes that the processor's backend had in use at most.
@Suite(.serialized)
struct MeasuredMemoryTests {
  private let backend = CPUBackend(threads: 2)

  private func network<N: Network>(_ type: N.Type, _ configuration: N.Configuration, _ precision: Precision) throws -> N
  {
    let demand = Demand(of: type, configuration)
    return try NetworkPart<N>(RandomWeights(demand), configuration, demand: demand)
      .load(on: backend, precision: precision)
  }

  /// The most bytes in use at one time while `body` runs, beyond those that were before.
  private func peak(_ body: () throws -> Void) rethrows -> Int {
    let before = backend.memoryInUse.present
    backend.restartPeak()
    try body()
    return backend.memoryInUse.peak - before
  }

  private func expect(_ estimate: Int, near measured: Int, _ what: String) {
    let ratio = Double(estimate) / Double(measured)
    #expect((0.85...1.15).contains(ratio), "\(what): estimated \(estimate), measured \(measured), \(ratio)")
  }

  @Test(
    "a step of sampling takes what is estimated, within 15 %", arguments: Precision.allCases,
    [[16, 4, 32, 32] as Shape, [16, 9, 40, 48]])
  func sampling(precision: Precision, latents: Shape) throws {
    let configuration = TransformerConfiguration(
      inputChannels: 16, outputChannels: 16, dimension: 512, feedForward: 2304, textDimension: 64,
      timeFrequencies: 64, layers: 2, facts: .init(heads: 4, textLength: 32))
    let model = try network(WanTransformer.self, configuration, precision)
    let grid = TokenGrid(latents: latents)
    let measured = try peak {
      let context = try model.context([Tensor.random([20, 64], seed: 1), Tensor.random([9, 64], seed: 2)])
      let rotary = RotaryTable(headDimension: configuration.headDimension, grid: grid, on: backend)
      _ = try model(
        .random(latents, seed: 3), timesteps: TokenTimesteps(500, tokens: grid.count), rotary: rotary, context: context)
    }
    let estimate = SamplingEstimate(
      configuration, latents: latents, prompts: 2, textRows: 21, precision: precision, on: backend.traits)
    // The run's own latents lie in the process's memory, not in the backend's.
    expect(estimate.total - estimate.latents, near: measured, "\(precision) \(latents)")
  }

  /// The published structure of 2.1 or 2.2 with fewer channels.
  private static func autoencoder(hasShortcuts: Bool) -> VAEConfiguration {
    VAEConfiguration(
      widths: (32, 32), multipliers: [1, 2, 4, 4], temporal: [false, true, true], blocks: 1, latentChannels: 16,
      hasShortcuts: hasShortcuts)
  }

  @Test(
    "decoding takes what is estimated, within 15 %", arguments: [false, true],
    [[16, 3, 12, 12] as Shape, [16, 3, 16, 20]])
  func decoding(hasShortcuts: Bool, latents: Shape) throws {
    for precision in [Precision.f32, .bf16] {
      let configuration = Self.autoencoder(hasShortcuts: hasShortcuts)
      let decoder = try network(VAEDecoder.self, configuration, precision)
      for tiling in [VAETiling.whole, VAETiling(rows: 1, columns: 2)] {
        var decoding = decoder.decoding(.random(latents, seed: 4), tiling: tiling)
        let measured = try peak { while try decoding.next() != nil {} }
        let estimate = VAEDecodingEstimate(configuration, latents: latents, precision: precision, tiling: tiling)
        expect(
          estimate.histories + estimate.activations, near: measured, "\(precision) \(latents) \(tiling)")
      }
    }
  }

  @Test("decoding by a tiny autoencoder takes what is estimated, within 15 %", arguments: [1, 2])
  func tinyDecoding(patch: Int) throws {
    for precision in [Precision.f32, .bf16] {
      let configuration = TinyConfiguration(latentChannels: 16, patch: patch, widths: [64, 32, 16, 16])
      let decoder = try network(TinyDecoder.self, configuration, precision)
      let latents: Shape = [16, 3, 24, 28]
      var decoding = decoder.decoding(.random(latents, seed: 6))
      let measured = try peak { while try decoding.next() != nil {} }
      let estimate = TinyDecodingEstimate(configuration, latents: latents, precision: precision)
      expect(estimate.total - estimate.weights, near: measured, "\(precision) \(patch)")
    }
  }

  @Test(
    "encoding takes what is estimated, within 15 %", arguments: [false, true], [(9, 96, 128), (13, 128, 160)])
  func encoding(hasShortcuts: Bool, clip: (frames: Int, height: Int, width: Int)) throws {
    for precision in [Precision.f32, .bf16] {
      let configuration = Self.autoencoder(hasShortcuts: hasShortcuts)
      let encoder = try network(VAEEncoder.self, configuration, precision)
      let video = Tensor.random([3, clip.frames, clip.height, clip.width], seed: 5)
      let measured = try peak { _ = try encoder(video) }
      let estimate = VAEEncodingEstimate(
        configuration, frames: clip.frames, height: clip.height, width: clip.width, precision: precision)
      // The clip as it was given lies in the process's memory, not in the backend's.
      expect(estimate.total - estimate.weights - estimate.video, near: measured, "\(precision) \(clip)")
    }
  }
}
