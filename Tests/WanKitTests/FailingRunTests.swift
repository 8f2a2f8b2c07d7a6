import CPUBackend
import Foundation
import Media
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

/// Models that fail while they run, or just before.
struct FailingRunTests {
  private func failure(_ copy: ModelCopy, steps: Int = 3) async throws -> any Error {
    let before = try copy.folder.allContents()
    let error = await #expect(throws: (any Error).self) {
      _ = try await SmallRuns.trace(ModelFolder(path: copy.path), SmallRuns.request(steps: steps))
    }
    #expect(try copy.folder.allContents() == before)
    return try #require(error)
  }

  private static func filled(_ value: Float) -> (Tensor) -> Tensor {
    { Tensor(Array(repeating: value, count: $0.count), shape: $0.shape) }
  }

  @Test("weights that are not numbers stop the run at its first step")
  func notANumber() async throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.rewrite(ModelCopy.transformer) { $0.replace("head.head.bias", Self.filled(.nan)) }
    let error = try await failure(copy)
    let text = "\(error)"
    #expect(error is SamplingError && text == "step 1: 768 latent values are NaN or infinite", "\(text)")
  }

  @Test("of two experts the one that fails is named, at its step")
  func expert() async throws {
    let copy = try ModelCopy(of: "t2v")
    try copy.rewrite("low_noise_model/" + ModelCopy.transformer) {
      $0.replace("head.head.bias", Self.filled(.infinity))
    }
    let text = "\(try await failure(copy, steps: 4))"
    #expect(text.contains("step 4 (low expert)") && text.contains("NaN or infinite"), "\(text)")
  }

  @Test("latents that run away stop the run")
  func runaway() async throws {
    let copy = try ModelCopy(of: "t2v")
    try copy.rewrite("high_noise_model/" + ModelCopy.transformer) {
      $0.replace("head.head.weight") { Tensor($0.floats().map { $0 * 1e6 }, shape: $0.shape) }
    }
    let text = "\(try await failure(copy))"
    #expect(text.contains("step 1 (high expert)") && text.contains("standard deviation"), "\(text)")
  }

  @Test("a text encoder of nonsense stops the run at its first step")
  func textEncoder() async throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.rewrite(ModelCopy.textEncoder, as: "models_t5_umt5-xxl-enc-bf16.safetensors") {
      $0.replace("norm.weight", Self.filled(.nan))
    }
    #expect("\(try await failure(copy))".contains("step 1:"))
  }

  @Test(
    "frames that are not numbers end the run with stage and frame, decoded whole or in tiles",
    arguments: [Float.nan, .infinity, -.infinity], [nil, VAETiling(rows: 2, columns: 2)])
  func frames(value: Float, tiling: VAETiling?) async throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.rewrite(ModelCopy.autoencoder, as: "Wan2.2_VAE.safetensors") {
      $0.replace("decoder.head.2.bias", Self.filled(value))
    }
    var request = SmallRuns.request(steps: 1)
    request.decodingTiling = tiling
    let plan = try GenerationPlan(request, model: ModelFolder(path: copy.path), on: .reference)
    let error = await #expect(throws: SamplingError.self) {
      _ = try await Engine(backend: CPUBackend(threads: 2)).run(plan) { _ in }
    }
    let text = try #require(error).description
    #expect(text == "decoding, frame 1: 6144 of its 6144 numbers are NaN or infinite")
  }

  @Test("a clip that cannot be decoded keeps its latents beside it, and no other file", arguments: [false, true])
  func keptLatents(isSecond: Bool) async throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.rewrite(ModelCopy.autoencoder, as: "Wan2.2_VAE.safetensors") {
      $0.replace("decoder.head.2.bias", Self.filled(.nan))
    }
    let folder = try TemporaryFolder()
    if isSecond { try Data("mine".utf8).write(to: folder.url.appendingPathComponent("a.latents.safetensors")) }
    let plan = try GenerationPlan(SmallRuns.request(steps: 2), model: ModelFolder(path: copy.path), on: .reference)
    let error = await #expect(throws: UnfinishedClip.self) {
      try await Engine(backend: CPUBackend(threads: 2)).clip(
        plan, into: ClipOutput(ClipTarget(path: folder.path("a.y4m")), ffmpeg: nil, metadata: "told"))
    }
    let name = isSecond ? "a.latents-2.safetensors" : "a.latents.safetensors"
    #expect(try #require(error).latents == folder.path(name))
    #expect(folder.contents.sorted() == (isSecond ? ["a.latents-2.safetensors", "a.latents.safetensors"] : [name]))
    let trace = try await SmallRuns.trace(
      ModelFolder(path: Golden.bundledFolder + "/ti2v"), SmallRuns.request(steps: 2))
    let expected = try #require(trace.latents.last).floats()
    #expect(try TensorFile.read(folder.path(name))["latents"]?.floats() == expected)
  }

  @Test("pictures are made of any numbers")
  func pictures() {
    let values: [Float] = [.nan, .infinity, -.infinity, 1e38, -1e38, 0, 1, -1, 0.9999, 1.0001, -.nan, 0.5]
    let frames = RGBImage.frames(of: Tensor(values, shape: [1, 2, 2, 3]))
    #expect(frames[0].pixels == [0, 255, 0, 255, 0, 127, 255, 0, 254, 255, 0, 191])
  }

  @Test("a tokenizer that knows more tokens than the encoder is refused")
  func tokens() async throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.rewrite(ModelCopy.textEncoder, as: "models_t5_umt5-xxl-enc-bf16.safetensors") {
      $0.replace("token_embedding.weight") { $0.slice(0..<100) }
    }
    let text = "\(try await failure(copy))"
    #expect(text.contains("google/umt5-xxl: token ") && text.contains("past the text encoder's 100 rows"), "\(text)")
    #expect(text.contains("belong together?"))
    #expect(try Inspection(path: copy.path).problems == [text])
  }

  @Test("a damaged tokenizer is named", arguments: ["", "{}", "{\"model\": {\"type\": \"BPE\"}}", "[1", "\u{0}"])
  func tokenizer(text: String) async throws {
    let copy = try ModelCopy(of: "ti2v")
    try copy.write(text, to: "google/umt5-xxl/tokenizer.json")
    let message = "\(try await failure(copy))"
    #expect(message.contains(copy.path + "/google/umt5-xxl/tokenizer.json"), "\(message)")
    #expect(try Inspection(path: copy.path).problems.contains(message))
  }

  @Test("spiece.model serves where there is no tokenizer.json")
  func sentencePiece() async throws {
    let copy = try ModelCopy(of: "ti2v")
    let model = try ModelFolder(path: copy.path)
    let expected = try await SmallRuns.trace(model, SmallRuns.request(steps: 1)).promptIDs
    try copy.remove("google/umt5-xxl/tokenizer.json")
    let ids = try await SmallRuns.trace(ModelFolder(path: copy.path), SmallRuns.request(steps: 1)).promptIDs
    #expect(ids == expected)
  }
}
