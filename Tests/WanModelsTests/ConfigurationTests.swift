import Tensors
import TestSupport
import Testing
import WanModels

/// Checkpoints whose structure makes no model are refused with the tensor's name before anything is computed.
struct ConfigurationTests {
  private func transformer(_ edit: (inout [String: Shape]) -> Void, heads: Int = 24) throws -> WeightError {
    var shapes = try PublishedSizesTests.shapes("ti2v-5B.dit")
    edit(&shapes)
    let source = MemorySource(shapes: shapes)
    return try #require(throws: WeightError.self) {
      _ = try TransformerConfiguration(reading: source, facts: .init(heads: heads))
    }
  }

  @Test("of a transformer")
  func transformers() throws {
    let missing = try transformer { $0["head.head.weight"] = nil }
    #expect(missing == .missing(name: "head.head.weight", location: "memory"))
    let flat = try transformer { $0["patch_embedding.weight"] = [3072, 192] }
    #expect(flat.description.contains("'patch_embedding.weight' has shape [3072, 192]"))
    let empty = try transformer { $0["blocks.0.ffn.0.weight"] = [0, 3072] }
    #expect(empty.description.contains("'blocks.0.ffn.0.weight'"))
    #expect(try transformer({ _ in }, heads: 7).description.contains("num_heads 7"))
    #expect(try transformer({ _ in }, heads: 3072).description.contains("even heads"))
  }

  private func autoencoder(_ edit: (inout [String: Shape]) -> Void) throws -> WeightError {
    var shapes = try PublishedSizesTests.shapes("Wan2.2_VAE")
    edit(&shapes)
    let source = MemorySource(shapes: shapes)
    return try #require(throws: WeightError.self) { _ = try VAEConfiguration(reading: source) }
  }

  @Test("of an autoencoder")
  func autoencoders() throws {
    let channels = try autoencoder { $0["encoder.conv1.weight"] = [160, 4, 3, 3, 3] }
    #expect(channels.description.contains("3 or 12 input channels"))
    let lopsided = try autoencoder { shapes in
      for key in shapes.keys where key.hasPrefix("decoder.") && key.contains("time_conv") { shapes[key] = nil }
    }
    #expect(lopsided.description.contains("decoder") && lopsided.description.contains("4"))
    let bare = try autoencoder { shapes in
      for key in shapes.keys where key.hasPrefix("decoder.upsamples") { shapes[key] = nil }
    }
    #expect(bare.description.contains("decoder"))
    let narrow = try autoencoder { shapes in
      for (key, shape) in shapes where key.hasPrefix("decoder.upsamples.0.upsamples.3.resample.1") {
        shapes[key] = Shape([1000] + shape.dimensions.dropFirst())
      }
    }
    #expect(narrow.description.contains("decoder.upsamples.0.upsamples.3"))
  }

  @Test("of a text encoder")
  func textEncoders() throws {
    var shapes = try PublishedSizesTests.shapes("umt5-xxl-enc")
    shapes["blocks.0.pos_embedding.embedding.weight"] = [30, 64]
    let source = MemorySource(shapes: shapes)
    let error = try #require(throws: WeightError.self) { _ = try TextEncoderConfiguration(reading: source) }
    #expect(error.description.contains("'blocks.0.pos_embedding.embedding.weight'"))
    #expect(error.description.contains("multiple of 4 buckets"))
  }
}
