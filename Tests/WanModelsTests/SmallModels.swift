import CPUBackend
import Layers
import Tensors
import TestSupport

@testable import WanModels

/// Networks of a few channels with random weights, biases and norms among them.
enum SmallModels {
  static let transformerConfiguration = TransformerConfiguration(
    inputChannels: 4, outputChannels: 4, dimension: 24, feedForward: 40, textDimension: 16, timeFrequencies: 8,
    layers: 2, facts: .init(heads: 2, textLength: 12))

  static func transformer() throws -> WanTransformer {
    try made(WanTransformer.self, transformerConfiguration)
  }

  static func autoencoderConfiguration(hasShortcuts: Bool) -> VAEConfiguration {
    VAEConfiguration(
      widths: (4, 4), multipliers: [1, 2, 4, 4], temporal: [false, true, true], blocks: 2, latentChannels: 3,
      hasShortcuts: hasShortcuts)
  }

  /// A network over random weights of the shapes that it asks for; a tensor's numbers depend on its name alone.
  static func made<N: Network>(
    _ type: N.Type, _ configuration: N.Configuration, _ precision: Precision = .f32,
    on backend: any Backend = CPUBackend(threads: 1)
  ) throws -> N {
    let tensors = Demand(of: type, configuration).requests.map { request in
      let fanIn = max(4, request.shape.dimensions.dropFirst().reduce(1, *))
      let seed = request.name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) }
      return (request.name, Tensor.random(request.shape, seed: seed, scale: 1 / Float(fanIn).squareRoot()))
    }
    return try NetworkPart<N>(MemorySource(tensors), configuration: configuration)
      .load(on: backend, precision: precision)
  }
}
