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

  private func textEncoder(_ edit: (inout [String: Shape]) -> Void) throws -> WeightError {
    var shapes = try PublishedSizesTests.shapes("umt5-xxl-enc")
    edit(&shapes)
    let source = MemorySource(shapes: shapes)
    return try #require(throws: WeightError.self) { _ = try TextEncoderConfiguration(reading: source) }
  }

  @Test(
    "of a text encoder", arguments: [[30, 64], [512, 64], [2048, 64], [32, 8192], [0, 64], [32, 0], [32, 63]])
  func textEncoders(positions: [Int]) throws {
    let name = "blocks.0.pos_embedding.embedding.weight"
    let error = try textEncoder {
      $0[name] = Shape(positions)
      $0["blocks.0.attn.q.weight"] = [8192, 4096]
    }
    #expect(error.description.contains("'\(name)'"))
    #expect(error.description.contains(positions.contains(0) ? "none empty" : "multiple of 4 buckets"))
  }

  @Test("of more layers than any model has, or of wider ones")
  func sizes() throws {
    func layers(_ shapes: inout [String: Shape]) { for i in 0..<20_000 { shapes["blocks.\(i).x"] = [0] } }
    #expect(try transformer(layers).description.contains("20000 layers"))
    #expect(try textEncoder(layers).description.contains("20000 layers"))
    let wide = try transformer { $0["patch_embedding.weight"] = [1 << 40, 48, 1, 2, 2] }
    #expect(wide.description.contains("none above 1048576"))
    #expect(try transformer { $0["head.head.weight"] = [3, 3072] }.description.contains("multiple of 4 outputs"))
    #expect(try transformer { $0["time_embedding.0.weight"] = [3072, 1] }.description.contains("even number"))
  }

  @Test("numbered with gaps have the layers in front of the first")
  func gaps() throws {
    var shapes = try PublishedSizesTests.shapes("ti2v-5B.dit")
    for number in ["4000000000", "31", "99999999999999999999999999", "-1", "x"] { shapes["blocks.\(number).x"] = [1] }
    let source = MemorySource(shapes: shapes)
    #expect(try TransformerConfiguration(reading: source, facts: .init(heads: 24)).layers == 30)
  }

  /// As many stages that double sizes, in both halves, of one channel each.
  private func stages(_ count: Int, nested: Bool) -> [String: Shape] {
    var shapes: [String: Shape] = ["encoder.conv1.weight": [1, 3, 1, 1, 1], "decoder.conv1.weight": [1, 1, 1, 1, 1]]
    for (half, list) in [("encoder", "downsamples"), ("decoder", "upsamples")] {
      for i in 0..<count {
        let path = nested ? "\(list).0.\(list).\(i)" : "\(list).\(i)"
        shapes["\(half).\(path).resample.1.weight"] = [1, 1, 1, 1]
        shapes["\(half).\(path).time_conv.weight"] = [1, 1, 1, 1, 1]
      }
    }
    return shapes
  }

  @Test("of autoencoders that change the size more often than any", arguments: [7, 16, 40, 63, 64, 70, 5_000])
  func resamples(count: Int) throws {
    for nested in [false, true] {
      let source = MemorySource(shapes: stages(count, nested: nested))
      let error = try #require(throws: WeightError.self) { _ = try VAEConfiguration(reading: source) }
      #expect(error.description.contains("which change the size") || error.description.contains("more than any model"))
    }
  }

  @Test("of autoencoders without stages, and of the most")
  func fewAndMostResamples() throws {
    let none = try #require(throws: WeightError.self) {
      _ = try VAEConfiguration(reading: MemorySource(shapes: stages(0, nested: false)))
    }
    #expect(none.description.contains("0 stages"))
    let most = try VAEConfiguration(reading: MemorySource(shapes: stages(6, nested: false)))
    #expect(most.stride == (64, 64))
  }

  @Test("with thousands of levels, each of thousands of blocks")
  func manyLevels() throws {
    var shapes = stages(1, nested: true)
    for i in 0..<5_000 { shapes["encoder.downsamples.\(i).downsamples.0.x"] = [1] }
    let error = try #require(throws: WeightError.self) {
      _ = try VAEConfiguration(reading: MemorySource(shapes: shapes))
    }
    #expect(error.description.contains("'encoder.downsamples.8'") && error.description.contains("5000"))
  }
}
