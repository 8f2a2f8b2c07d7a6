import CPUBackend
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import WanKit

@testable import WanModels

struct SyntheticModelTests {
  /// A family's structure with a few channels.
  private static func tiny(_ family: ModelFamily) -> SyntheticModel {
    let hasShortcuts = family.conditioning == .firstFrame
    let z = hasShortcuts ? 48 : 16
    return SyntheticModel(
      family: family,
      transformer: TransformerConfiguration(
        inputChannels: family.conditioning == .channels ? 2 * z + 4 : z, outputChannels: z, dimension: 48,
        feedForward: 64, textDimension: 32, timeFrequencies: 16, layers: 2, facts: .init(heads: 2, textLength: 64)),
      autoencoder: VAEConfiguration(
        widths: (8, 8), multipliers: [1, 2, 4, 4], temporal: [false, true, true], blocks: 1, latentChannels: z,
        hasShortcuts: hasShortcuts),
      textEncoder: TextEncoderConfiguration(
        vocabulary: 300, dimension: 32, attention: 32, feedForward: 48, layers: 2, heads: 4, buckets: 8))
  }

  @Test("a written model opens and makes a clip", arguments: ModelFamily.all)
  func roundTrip(family: ModelFamily) async throws {
    let synthetic = Self.tiny(family)
    let folder = try TemporaryFolder()
    let conversion = try Conversion(synthetic, seed: 3, to: folder.path + "/model")
    let report = try conversion.run(on: CPUBackend(threads: 1))
    #expect(report.bytes == conversion.byteCount && report.files.count == (family.hasTwoExperts ? 4 : 3))
    let model = try ModelFolder(path: folder.path + "/model")
    #expect(model.family == family)
    #expect(model.transformers.all.count == (family.hasTwoExperts ? 2 : 1))
    #expect(model.transformers.all.allSatisfy { $0.part.configuration == synthetic.transformer })
    #expect(model.autoencoder?.configuration == synthetic.autoencoder)
    #expect(model.textEncoder.configuration == synthetic.textEncoder)

    var request = SmallRuns.request(.bf16, steps: 1)
    request.prompt = "Ein grüner Ball, 球"
    if family.conditioning == .channels { request.image = SmallRuns.image }
    let video = try #require(try await SmallRuns.trace(model, request).video)
    #expect(video.shape == [3, 5, 32, 64])
    #expect(video.floats().allSatisfy { $0.isFinite })
    #expect(Set(video.floats()).count > 100)
  }

  @Test(
    "a model of random numbers is written in any type and layout, of any depth, and runs",
    arguments: [(StorageFormat.fp8, StorageLayout.comfy), (.q8_0, .gguf), (.bf16, .diffusers), (.int8, .official)])
  func formats(format: StorageFormat, layout: StorageLayout) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path("model")
    let conversion = try Conversion(
      Self.tiny(.ti2v5B).with(layers: 1), seed: 4, to: path, as: format, layout: layout)
    #expect(try conversion.run(on: CPUBackend(threads: 1)).files.count == 3)
    let model = try ModelFolder(path: path)
    #expect(model.transformers.configuration.layers == 1)
    let trace = try await SmallRuns.trace(model, SmallRuns.request(.bf16, steps: 1))
    #expect(try #require(trace.video).floats().allSatisfy(\.isFinite))
  }

  @Test("the same seed writes the same bytes, another seed others")
  func seeds() throws {
    let folder = try TemporaryFolder()
    for (name, seed) in [("a", 3), ("b", 3), ("c", 4)] as [(String, UInt64)] {
      _ = try Conversion(Self.tiny(.ti2v5B), seed: seed, to: folder.path + "/" + name)
        .run(on: CPUBackend(threads: 1))
    }
    let files = try ["a", "b", "c"].map { try Golden.data("\(folder.path)/\($0)/\(ModelCopy.transformer)") }
    #expect(files[0] == files[1])
    #expect(files[0] != files[2])
  }

  @Test("a cancelled write leaves no half file")
  func cancellation() async throws {
    let folder = try TemporaryFolder()
    let conversion = try Conversion(Self.tiny(.ti2v5B), to: folder.path("model"))
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      _ = try conversion.run(on: CPUBackend(threads: 1))
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try folder.allContents() == [])
  }

  @Test("random weights keep the size of what passes through them")
  func magnitudes() throws {
    let weights = RandomWeights(
      Demand([
        TensorRequest(name: "linear.weight", shape: [64, 100], use: .matrix),
        TensorRequest(name: "linear.bias", shape: [64], use: .parameter),
        TensorRequest(name: "norm.weight", shape: [64], use: .parameter),
        TensorRequest(name: "norm.gamma", shape: [64, 1, 1], use: .parameter),
      ]))
    let values = try weights.tensor("linear.weight").floats()
    let variance = values.reduce(0) { $0 + $1 * $1 } / Float(values.count)
    #expect(abs(variance * 100 - 1) < 0.1)
    #expect(try weights.tensor("linear.bias").floats().allSatisfy { $0 == 0 })
    #expect(try weights.tensor("norm.weight").floats().allSatisfy { $0 == 1 })
    #expect(try weights.tensor("norm.gamma").floats().allSatisfy { $0 == 1 })
    #expect(throws: WeightError.missing(name: "x", location: "random weights")) { try weights.tensor("x") }
  }

  @Test("the published sizes come to the published number of bytes")
  func sizes() {
    let billions = SyntheticModel.all.map { Double($0.byteCount) / 2e9 }
    #expect(abs(billions[0] - (5.00 + 0.705 + 5.68)) < 0.02)
    #expect(abs(billions[1] - (2 * 14.29 + 0.127 + 5.68)) < 0.02)
    #expect(abs(billions[2] - (2 * 14.29 + 0.127 + 5.68)) < 0.02)
  }
}
