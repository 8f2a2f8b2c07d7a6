import CPUBackend
import Checkpoints
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import WanKit

@testable import WanModels

/// A tiny autoencoder in the place of a model's VAE.
struct TinyAutoencoderTests {
  private static let ti2v = Golden.bundledFolder + "/ti2v"

  /// Random weights of few channels, with the encoder that published files have beside the decoder.
  ///
  /// - Parameter edit: changes the shapes by name.
  private static func write(
    _ path: String, channels: Int, _ edit: (inout [(name: String, shape: Shape)]) -> Void = { _ in }
  ) throws {
    let sizes = TinyConfiguration(latentChannels: channels, patch: channels == 48 ? 2 : 1, widths: [8, 8, 4, 4])
    var tensors = Demand(of: TinyDecoder.self, sizes).requests.map { (name: $0.name, shape: $0.shape) }
    tensors.append((name: "encoder.0.weight", shape: [4, 3, 3, 3]))
    edit(&tensors)
    var writer = try SafetensorsWriter(
      path: path, entries: tensors.map { .init(name: $0.name, shape: $0.shape, dtype: .f32) })
    for (index, tensor) in tensors.enumerated() {
      let fanIn = max(4, tensor.shape.dimensions.dropFirst().reduce(1, *))
      let values = Tensor.random(tensor.shape, seed: UInt64(index), scale: (2 / Float(fanIn)).squareRoot())
      try writer.write(values, as: tensor.name)
    }
    try writer.finish()
  }

  private static var searching: PartPaths {
    var parts = PartPaths()
    parts.prefersTinyAutoencoder = true
    return parts
  }

  private func refusal(_ path: String, _ parts: PartPaths) throws -> String {
    try #require(throws: ModelError.self) { _ = try ModelFolder(path: path, parts: parts) }.description
  }

  @Test("it decodes without the VAE, which need not be there, and gives what it gives by itself")
  func withoutVAE() async throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.remove(ModelCopy.autoencoder)
    try Self.write(copy.path + "/taew2_2.safetensors", channels: 48)
    let model = try ModelFolder(path: copy.path, parts: Self.searching)
    #expect(model.autoencoder == nil && model.decoder.isTiny && model.sizeMultiple == 32)
    #expect(model.foundParts.map(\.part) == ["tiny autoencoder"] && !model.foundParts[0].isNamed)
    #expect(!model.checkpointFiles.contains { $0.contains("VAE") })
    let trace = try await SmallRuns.trace(model)
    let video = try #require(trace.video)
    #expect(video.shape == [3, 5, 32, 64] && Set(video.floats()).count > 100)
    #expect(video.floats().allSatisfy { (-1...1).contains($0) })

    guard case .tiny(let part) = model.decoder else { return }
    let decoder = try part.load(on: CPUBackend(threads: 1), precision: .f32)
    let last = try #require(trace.latents.last)
    #expect(try decoder.pictures(of: last).floats() == trace.frames.flatMap { $0.floats() })
  }

  @Test("a damaged VAE is not opened for text; a picture needs it")
  func lazyVAE() async throws {
    let copy = try ModelCopy(of: "ti2v")
    let file = copy.path + "/taew2_2.safetensors"
    try Self.write(file, channels: 48)
    let parts = PartPaths(autoencoder: file)
    var request = SmallRuns.request(steps: 1)
    request.image = SmallRuns.image
    let whole = try ModelFolder(path: copy.path, parts: parts)
    #expect(whole.foundParts.map(\.isNamed) == [true])
    let video = try #require(try await SmallRuns.trace(whole, request).video)
    #expect(video.shape == [3, 5, 32, 64] && video.floats().allSatisfy(\.isFinite))

    try copy.write("junk", to: ModelCopy.autoencoder)
    let model = try ModelFolder(path: copy.path, parts: parts)
    #expect(try await SmallRuns.trace(model, SmallRuns.request(steps: 1)).video != nil)
    let damaged = #expect(throws: ModelError.self) { try GenerationPlan(request, model: model, on: .reference) }
    #expect(damaged?.description.contains(ModelCopy.autoencoder) == true)

    try copy.remove(ModelCopy.autoencoder)
    let alone = try ModelFolder(path: copy.path, parts: parts)
    let missing = #expect(throws: ModelError.self) { try GenerationPlan(request, model: alone, on: .reference) }
    #expect(missing?.description.contains("pictures are encoded by the whole one") == true)
  }

  @Test("one is looked for by name and channels, also in ComfyUI's folder for them and in those that are searched")
  func search() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path("vae_approx"), withIntermediateDirectories: true)
    // Of other latents, of another model by its name, and of the variant that is not read.
    try Self.write(folder.path("vae_approx/taew2_1.safetensors"), channels: 16)
    try Self.write(folder.path("vae_approx/taehv.safetensors"), channels: 48)
    try Self.write(folder.path("vae_approx/taew2_2_super.safetensors"), channels: 48) {
      $0 = [("decoder.3.conv.3.weight", [4, 8, 1, 1]), ("decoder.14.conv.weight", [16, 8, 1, 1])]
    }
    var parts = Self.searching
    parts.searched = [folder.path]
    let none = try refusal(Self.ti2v, parts)
    #expect(none.contains("a tiny autoencoder for its 48 latent channels (taew2_2.safetensors or .pth) is missing"))
    #expect(none.contains("https://github.com/madebyollin/taehv") && none.contains("WAN_MODELS"))

    try Self.write(folder.path("vae_approx/TAEW2_2.safetensors"), channels: 48)
    let model = try ModelFolder(path: Self.ti2v, parts: parts)
    #expect(model.foundParts[0].path.hasSuffix("vae_approx/TAEW2_2.safetensors"))
    try Self.write(folder.path("vae_approx/lighttaew2_2.safetensors"), channels: 48)
    #expect(try refusal(Self.ti2v, parts).contains("2 files fit as the tiny autoencoder"))
  }

  @Test("what does not fit is refused when the model is opened")
  func refusals() throws {
    let folder = try TemporaryFolder()
    func refusal(_ name: String, _ model: String = "ti2v") throws -> String {
      try self.refusal(Golden.bundledFolder + "/" + model, PartPaths(autoencoder: folder.path(name)))
    }
    try Self.write(folder.path("a.safetensors"), channels: 16)
    try Self.write(folder.path("b.safetensors"), channels: 48)
    #expect(try refusal("a.safetensors").contains("is for 16 latent channels, the model has 48; take taew2_2"))
    #expect(try refusal("b.safetensors", "t2v").contains("is for 48 latent channels, the model has 16; take taew2_1"))
    try Self.write(folder.path("super.safetensors"), channels: 48) {
      $0 = [("decoder.3.conv.3.weight", [4, 8, 1, 1]), ("decoder.14.conv.weight", [16, 8, 1, 1])]
    }
    #expect(try refusal("super.safetensors").contains("TAEHV's 'super' variant"))
    try Self.write(folder.path("small.safetensors"), channels: 48) { tensors in
      tensors = tensors.map { $0.name == "decoder.22.weight" ? ($0.name, [3, 4, 3, 3]) : $0 }
      tensors = tensors.map { $0.name == "decoder.22.bias" ? ($0.name, [3]) : $0 }
    }
    #expect(try refusal("small.safetensors").contains("makes 8 pixels of a latent one; take taew2_2"))
    try Self.write(folder.path("part.safetensors"), channels: 48) { $0.removeAll { $0.name == "decoder.22.bias" } }
    #expect(try refusal("part.safetensors").contains("'decoder.22.bias' is missing"))
    var request = SmallRuns.request()
    request.decodingTiling = VAETiling(rows: 1, columns: 2)
    let model = try ModelFolder(path: Self.ti2v, parts: PartPaths(autoencoder: folder.path("b.safetensors")))
    #expect(
      throws: RequestError.field(.decodingTiles, "a tiny autoencoder decodes whole frames; leave the tiles to the plan")
    ) {
      try GenerationPlan(request, model: model, on: .reference)
    }
  }

  @Test("plan and clip tell of it, and count its memory instead of the VAE's")
  func told() throws {
    let folder = try TemporaryFolder()
    try Self.write(folder.path("tiny.safetensors"), channels: 48)
    let model = try ModelFolder(path: Self.ti2v, parts: PartPaths(autoencoder: folder.path("tiny.safetensors")))
    let plan = try GenerationPlan(SmallRuns.request(), model: model, on: .reference)
    #expect(plan.decodingTiling == .whole && plan.imageEncoder == nil && plan.encodingMemory.total == 0)
    guard case .tiny(let part) = model.decoder else { return }
    let estimate = TinyDecodingEstimate(part.configuration, latents: plan.latentShape, precision: .f32)
    #expect(plan.decodingMemory.weights == estimate.weights && plan.decodingMemory.total == estimate.total)
    #expect(plan.warnings.contains { $0.contains("transformer has width 96") })
    let summary = PlanSummary(plan, on: .reference)
    #expect(summary.clip.decoder == .tiny)
    let json = try JSONEncoder().encode(summary)
    #expect(String(decoding: json, as: UTF8.self).contains(#""decoder":"tiny""#))
    #expect(try JSONDecoder().decode(PlanSummary.self, from: json) == summary)
  }

  @Test("inspect names it, the model that it is for and the option that takes it")
  func inspected() throws {
    let folder = try TemporaryFolder()
    try Self.write(folder.path("a.safetensors"), channels: 16)
    let report = try Inspection(path: folder.path("a.safetensors"))
    #expect(report.networks[0].role == "tiny autoencoder, as taew2_1" && report.isComplete)
    #expect(report.networks[0].description == "4x8x8, z 16, widths 8, 8, 4, 4")
    #expect(report.usage == "wan generate --vae \(folder.path("a.safetensors")) ...")
    try Self.write(folder.path("b.safetensors"), channels: 32)
    #expect(
      try Inspection(path: folder.path("b.safetensors")).networks[0].description.contains("of no model that is read"))
    try Self.write(folder.path("c.safetensors"), channels: 48) {
      $0 = [("decoder.3.conv.3.weight", [4, 8, 1, 1]), ("decoder.14.conv.weight", [16, 8, 1, 1])]
    }
    let other = try Inspection(path: folder.path("c.safetensors"))
    #expect(!other.isComplete && other.networks[0].problems[0].contains("without '_super' in the name"))
  }

  @Test("one of random numbers is written and converted", arguments: [("taew2_1", 16), ("taew2_2", 48)])
  func synthesized(name: String, channels: Int) throws {
    let folder = try TemporaryFolder()
    let configuration = try #require(TinyConfiguration.published.first { $0.name == name }).configuration
    let path = folder.path(name + ".safetensors")
    _ = try Conversion(configuration, seed: 3, to: path).run(on: CPUBackend(threads: 1))
    #expect(try Inspection(path: path).networks[0].role == "tiny autoencoder, as \(name)")
    #expect(try TinyConfiguration(reading: SafetensorsFile(path: path)) == configuration)
    let half = folder.path("half.safetensors")
    let request = ConversionRequest(input: path, output: half, format: .fp16)
    _ = try Conversion(request).run(on: CPUBackend(threads: 1))
    #expect(try Inspection(path: half).networks[0].types.contains("F16"))
    #expect(throws: ConversionError.self) {
      try Conversion(ConversionRequest(input: path, output: folder.path("x.gguf"), format: .q8_0))
    }
  }

  private static let sizes: [(TinyConfiguration, Shape)] = [
    (.wan21, [16, 3, 30, 52]), (.wan21, [16, 3, 90, 160]), (.wan22, [48, 3, 22, 40]), (.wan22, [48, 3, 44, 80]),
  ]

  @Test(
    "the estimate counts what decoding takes: weights, past frames and work exactly, the rest within 15 %",
    arguments: sizes)
  func memory(configuration: TinyConfiguration, latents: Shape) throws {
    for precision in [Precision.f32, .bf16] {
      let backend = MeteredBackend()
      let demand = Demand(of: TinyDecoder.self, configuration)
      let decoder = try NetworkPart<TinyDecoder>(OutlineSource(demand), configuration, demand: demand)
        .load(on: backend, precision: precision)
      let estimate = TinyDecodingEstimate(configuration, latents: latents, precision: precision)
      var decoding = decoder.decoding(backend.zeros(latents, dtype: .f32), values: .raw)
      #expect(estimate.weights == backend.count.weights)
      let before = backend.count.live
      while decoding.partsDone < decoding.partCount {
        backend.restart()
        _ = try decoding.next()
      }
      #expect(estimate.histories == backend.count.live - before)
      #expect(estimate.work == backend.count.work)
      let ratio = Double(estimate.activations + estimate.frames) / Double(backend.count.peak - backend.count.live)
      #expect((0.85...1.15).contains(ratio), "\(latents) \(precision): \(ratio)")
    }
  }
}
