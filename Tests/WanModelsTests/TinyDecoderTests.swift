import CPUBackend
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@testable import WanModels

/// The tiny autoencoders' decoder against its published structure and recorded frames.
struct TinyDecoderTests {
  /// A decoder of few channels, and the same weights for plain loops.
  private struct Small {
    let source: MemorySource
    let configuration: TinyConfiguration

    /// - Parameter stored: frames that the levels' 1x1 convolutions could make, as stored.
    init(patch: Int, stored: [Int] = [1, 2, 2]) throws {
      let sizes = TinyConfiguration(latentChannels: 4 + patch, patch: patch, widths: [9, 6, 5, 4])
      source = MemorySource(
        Demand(of: TinyDecoder.self, sizes).requests.map { request in
          var dimensions = request.shape.dimensions
          if let level = ["7", "13", "19"].firstIndex(where: { request.name == "decoder.\($0).conv.weight" }) {
            dimensions[0] = stored[level] * dimensions[1]
          }
          let fanIn = max(4, dimensions.dropFirst().reduce(1, *))
          let seed = request.name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) }
          return (request.name, .random(Shape(dimensions), seed: seed, scale: (2 / Float(fanIn)).squareRoot()))
        })
      configuration = try TinyConfiguration(reading: source)
    }

    func decoder(
      _ configuration: TinyConfiguration? = nil, on backend: any Backend = CPUBackend(threads: 2),
      _ precision: Precision = .f32
    ) throws -> TinyDecoder {
      try NetworkPart<TinyDecoder>(source, configuration: configuration ?? self.configuration)
        .load(on: backend, precision: precision)
    }

    func plain() -> PlainTinyDecoder {
      let tensors = source.names.map { ($0, try? source.tensor($0)) }
      let byName = Dictionary(uniqueKeysWithValues: tensors)
      return PlainTinyDecoder(weights: { (byName[$0] ?? nil) ?? .zeros([0]) }, patch: configuration.patch)
    }
  }

  /// Every frame, in one tensor.
  private func frames(_ decoder: TinyDecoder, _ latents: Tensor, _ values: DecodedValues = .raw) throws -> Tensor {
    var decoding = decoder.decoding(latents, values: values)
    var parts: [Float] = []
    while let part = try decoding.next() {
      #expect(part.first == decoding.frames(of: decoding.partsDone - 1).lowerBound)
      #expect(part.frames.shape[0] == decoding.frames(of: decoding.partsDone - 1).count)
      parts += part.frames.floats()
    }
    let (count, height, width) = decoding.extents
    return Tensor(parts, shape: [count, height, width, 3])
  }

  @Test(
    "frames are those of the published structure in plain loops", arguments: [1, 2],
    [(1, 3, 5), (2, 4, 3), (5, 1, 2)])
  func structure(patch: Int, size: (frames: Int, height: Int, width: Int)) throws {
    let small = try Small(patch: patch)
    let latents = Tensor.random([4 + patch, size.frames, size.height, size.width], seed: 50, scale: 2)
    let expected = small.plain()(latents)
    let space = 8 * patch
    #expect(expected.shape == [4 * size.frames - 3, size.height * space, size.width * space, 3])
    #expect(relativeError(try frames(small.decoder(), latents), expected) <= 1e-5)
    #expect(
      relativeError(try frames(small.decoder(.none, on: CPUBackend(threads: 1), .bf16), latents), expected) <= 3e-2)
  }

  @Test("every backend computes it")
  func backends() throws {
    let small = try Small(patch: 2)
    let latents = Tensor.random([6, 2, 2, 1], seed: 51)
    let expected = small.plain()(latents)
    #expect(relativeError(try frames(small.decoder(on: ReferenceBackend()), latents), expected) <= 1e-5)
    let remote = RemoteBackend()
    var decoding = try small.decoder(on: remote).decoding(latents, values: .raw)
    var parts: [Float] = []
    while let part = try decoding.next() { parts += try remote.host(part.frames).floats() }
    #expect(relativeError(parts, expected.floats()) <= 1e-5)
  }

  @Test("of a larger 1x1 convolution the last rows count")
  func storedGrowth() throws {
    let small = try Small(patch: 1, stored: [2, 2, 3])
    #expect(small.configuration.storedGrowth == [2, 2, 3] && small.configuration.growth == [1, 2, 2])
    let latents = Tensor.random([5, 2, 2, 3], seed: 52)
    #expect(relativeError(try frames(small.decoder(), latents), small.plain()(latents)) <= 1e-5)
  }

  @Test("a frame does not depend on later latents, bit by bit")
  func causality() throws {
    let decoder = try Small(patch: 1).decoder(on: CPUBackend(threads: 2), .bf16)
    let latents = Tensor.random([5, 4, 3, 3], seed: 53).floats()
    let whole = try frames(decoder, Tensor(latents, shape: [5, 4, 3, 3]))
    let short = Tensor((0..<5).flatMap { c in latents[c * 36..<c * 36 + 18] }, shape: [5, 2, 3, 3])
    #expect(try frames(decoder, short).floats() == whole.slice(0..<5).floats())
  }

  @Test("held frames lie in [-1, 1], and what is not finite becomes NaN")
  func held() throws {
    let decoder = try Small(patch: 1).decoder()
    let latents = Tensor.random([5, 2, 2, 2], seed: 54, scale: 3)
    let (raw, held) = (try frames(decoder, latents), try frames(decoder, latents, .held))
    #expect(raw.floats().contains { abs($0) > 1 })
    #expect(held.floats() == raw.floats().map { min(max($0, -1), 1) })
    var broken = latents.floats()
    broken[0] = .nan
    #expect(try frames(decoder, Tensor(broken, shape: latents.shape), .held).floats().contains { $0.isNaN })
  }

  @Test("for previews each latent frame becomes one small picture", arguments: [1, 2])
  func previews(patch: Int) throws {
    let small = try Small(patch: patch)
    var plain = small.plain()
    (plain.growth, plain.isEnlarging) = ([1, 1, 1], false)
    let latents = Tensor.random([4 + patch, 3, 4, 5], seed: 55)
    let decoder = try small.decoder(small.configuration.forPreviews)
    let pictures = try decoder.pictures(of: latents)
    #expect(pictures.shape == [3, 4 * patch, 5 * patch, 3])
    #expect(relativeError(pictures.floats(), plain(latents).floats().map { min(max($0, -1), 1) }) <= 1e-5)
  }

  /// The formula of `Fixtures/make_tiny.py`.
  private static func numbers(_ name: String, _ shape: Shape, scale: Float) -> Tensor {
    var generator = SeededGenerator(seed: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    return Tensor(
      (0..<shape.count).map { _ in (Float(generator.next() >> 40) / Float(1 << 23) - 1) * scale }, shape: shape)
  }

  @Test(
    "frames of full width are those that taehv.py gives",
    arguments: [("2_1", TinyConfiguration.wan21, Shape([16, 3, 2, 3])), ("2_2", .wan22, Shape([48, 2, 2, 1]))])
  func recorded(file: String, sizes: TinyConfiguration, latents: Shape) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    let expected = try #require(try TensorFile.read(folder + "/Fixtures/tiny.safetensors")[file])
    let tensors = Demand(of: TinyDecoder.self, sizes).requests.map { request -> (String, Tensor) in
      var dimensions = request.shape.dimensions
      if file == "2_1", request.name == "decoder.7.conv.weight" { dimensions[0] *= 2 }
      let fanIn = dimensions.dropFirst().reduce(1, *)
      let scale = dimensions.count == 1 ? 0.1 : (6 / Float(fanIn)).squareRoot()
      return (request.name, Self.numbers(request.name, Shape(dimensions), scale: scale))
    }
    let part = try NetworkPart<TinyDecoder>(MemorySource(tensors))
    #expect(part.configuration.latents == sizes.latents)
    let z = Self.numbers("latents", latents, scale: 4)
    let halves = expected.floats().map { 2 * $0 - 1 }
    for (precision, tolerance) in [(Precision.f32, 1e-5), (.bf16, 2e-2)] {
      let decoder = try part.load(on: CPUBackend(threads: 2), precision: precision)
      let error = relativeError(try frames(decoder, z).floats(), halves)
      #expect(error <= tolerance, "\(precision): \(error)")
    }
  }

  @Test("files that are none are refused by the tensor that tells it")
  func refusals() throws {
    let demand = Demand(of: TinyDecoder.self, .wan21).requests
    func refusal(_ edit: (inout [String: Shape]) -> Void) throws -> String {
      var shapes = Dictionary(uniqueKeysWithValues: demand.map { ($0.name, $0.shape) })
      edit(&shapes)
      let source = MemorySource(shapes: shapes)
      return try #require(throws: WeightError.self) { _ = try NetworkPart<TinyDecoder>(source) }.description
    }
    #expect(try refusal { $0["decoder.22.weight"] = [48, 64, 3, 3] }.contains("3 or 12 output channels"))
    #expect(try refusal { $0["decoder.13.conv.weight"] = [128, 128, 1, 1] }.contains("2 or more times 128 rows"))
    #expect(try refusal { $0["decoder.19.conv.weight"] = [130, 64, 1, 1] }.contains("decoder.19.conv.weight"))
    #expect(try refusal { $0["decoder.1.weight"] = [256, 16, 3] }.contains("4 axes"))
    #expect(try refusal { $0["decoder.10.conv.2.bias"] = nil }.contains("'decoder.10.conv.2.bias' is missing"))
    #expect(try refusal { $0["decoder.23.weight"] = [1] }.contains("decoder.23.weight"))
  }
}
