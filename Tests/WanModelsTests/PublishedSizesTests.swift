import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import WanModels

/// The models against the headers of the published checkpoints.
struct PublishedSizesTests {
  static func shapes(_ name: String) throws -> [String: Shape] {
    let data = try Golden.data("\(Golden.fixturesFolder)/shapes/official.\(name).json")
    return try JSONDecoder().decode([String: [Int]].self, from: data).mapValues { Shape($0) }
  }

  private func expectEqual(_ requests: [TensorRequest], _ published: [String: Shape]) {
    let asked = Dictionary(requests.map { ($0.name, $0.shape) }) { first, _ in first }
    #expect(asked.count == requests.count, "a tensor is asked for twice")
    #expect(Set(asked.keys).symmetricDifference(published.keys).sorted() == [])
    for (name, shape) in published where asked[name] != nil { #expect(asked[name] == shape, "\(name)") }
  }

  static let transformers: [(file: String, configuration: TransformerConfiguration)] = [
    ("ti2v-5B.dit", .ti2v5B), ("t2v-A14B.dit", .t2vA14B), ("i2v-A14B.dit", .i2vA14B),
  ]

  @Test("the transformers ask for the published tensors, no more and no less", arguments: transformers)
  func transformer(file: String, configuration: TransformerConfiguration) throws {
    expectEqual(Demand(of: WanTransformer.self, configuration).requests, try Self.shapes(file))
  }

  @Test("the transformers' sizes are read off the published tensors", arguments: transformers)
  func transformerConfiguration(file: String, configuration: TransformerConfiguration) throws {
    let facts = TransformerConfiguration.Facts(
      heads: configuration.heads,
      stated: [
        "dim": configuration.dimension, "ffn_dim": configuration.feedForward, "in_dim": configuration.inputChannels,
        "out_dim": configuration.outputChannels, "num_layers": configuration.layers, "freq_dim": 256, "text_dim": 4096,
      ])
    let source = MemorySource(shapes: try Self.shapes(file))
    #expect(try TransformerConfiguration(reading: source, facts: facts) == configuration)
    #expect(configuration.headDimension == 128)
  }

  static let autoencoders: [(file: String, configuration: VAEConfiguration)] = [
    ("Wan2.1_VAE", .wan21), ("Wan2.2_VAE", .wan22),
  ]

  @Test("the autoencoders ask for the published tensors, no more and no less", arguments: autoencoders)
  func autoencoder(file: String, configuration: VAEConfiguration) throws {
    let halves = [Demand(of: VAEEncoder.self, configuration), Demand(of: VAEDecoder.self, configuration)]
    expectEqual(halves.flatMap(\.requests), try Self.shapes(file))
  }

  @Test("the autoencoders' structure is read off the published tensors", arguments: autoencoders)
  func autoencoderConfiguration(file: String, configuration: VAEConfiguration) throws {
    let source = MemorySource(shapes: try Self.shapes(file))
    #expect(try VAEConfiguration(reading: source) == configuration)
    #expect(configuration.stride == (4, file == "Wan2.1_VAE" ? 8 : 16))
    #expect(configuration.normalisation.mean.count == configuration.latentChannels)
    #expect(configuration.normalisation.std.count == configuration.latentChannels)
  }

  @Test("the text encoder asks for the published tensors and its sizes are read off them")
  func textEncoder() throws {
    let shapes = try Self.shapes("umt5-xxl-enc")
    expectEqual(Demand(of: UMT5Encoder.self, .umt5XXL).requests, shapes)
    #expect(try TextEncoderConfiguration(reading: MemorySource(shapes: shapes)) == .umt5XXL)
  }
}
