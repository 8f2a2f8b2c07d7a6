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
    try made { WanTransformer($0, transformerConfiguration) }
  }

  static func autoencoderConfiguration(hasShortcuts: Bool) -> VAEConfiguration {
    VAEConfiguration(
      widths: (4, 4), multipliers: [1, 2, 4, 4], temporal: [false, true, true], blocks: 2, latentChannels: 3,
      hasShortcuts: hasShortcuts)
  }

  /// A network over random weights of the shapes that it asks for.
  static func made<Model>(_ precision: Precision = .f32, _ build: (Weights) -> Model) throws -> Model {
    let survey = Weights(MemorySource([]), backend: ReferenceBackend(), precision: .f32, survey: true)
    _ = build(survey)
    let tensors = survey.requests.enumerated().map { i, request in
      let fanIn = max(4, request.shape.dimensions.dropFirst().reduce(1, *))
      return (request.name, Tensor.random(request.shape, seed: UInt64(i), scale: 1 / Float(fanIn).squareRoot()))
    }
    let weights = Weights(MemorySource(tensors), backend: CPUBackend(threads: 1), precision: precision)
    let model = build(weights)
    try weights.finish()
    return model
  }
}
