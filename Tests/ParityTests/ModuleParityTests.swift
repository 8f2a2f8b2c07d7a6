import CPUBackend
import Layers
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

/// Single networks against the published modules' outputs, float32; the transformer on every backend.
struct ModuleParityTests {
  static let families = ["ti2v", "t2v", "i2v"].filter { (try? Golden.tensors("parts/\($0).safetensors")) != nil }
  static let tolerance = 1e-5

  enum Engine: String, CaseIterable, Sendable {
    case reference, cpu, remote

    var backend: any Backend {
      switch self {
      case .reference: ReferenceBackend()
      case .cpu: CPUBackend(threads: 2)
      case .remote: RemoteBackend()
      }
    }
  }

  @Test("the transformer gives the published velocities", arguments: families, Engine.allCases)
  func transformer(family: String, engine: Engine) throws {
    let golden = try Golden.tensors("parts/\(family).safetensors")
    let modules = try GoldenModules(family: family, backend: engine.backend)
    for (name, expected) in golden where name.hasPrefix("out") {
      let actual = try velocity(name, golden, modules)
      let error = relativeError(actual, expected)
      #expect(error <= Self.tolerance, "\(name): relative error \(error)")
    }
  }

  /// Output names: "out" (a timestep per token), "out_scalar", "out_EXPERT_TIMESTEP".
  private func velocity(_ name: String, _ golden: [String: Tensor], _ modules: GoldenModules) throws -> Tensor {
    let words = name.split(separator: "_").map(String.init)
    let expert = words.count == 3 ? try #require(Expert(rawValue: words[1])) : .only
    let model = try modules.transformer(expert)
    let x = try #require(golden["x"])
    let latents = golden["y"].map { ReferenceBackend().concatenated([x, $0]) } ?? x
    let grid = TokenGrid(latents: latents.shape)
    let tokens = grid.count
    let timesteps: TokenTimesteps
    switch words.count {
    case 3: timesteps = TokenTimesteps(try #require(Float(words[2])), tokens: tokens)
    case 2: timesteps = TokenTimesteps(try #require(golden["t_scalar"]).floats()[0], tokens: tokens)
    default: timesteps = TokenTimesteps(perToken: try #require(golden["t"]).floats())
    }
    let rotary = RotaryTable(headDimension: model.configuration.headDimension, grid: grid, on: modules.backend)
    let context = try model.context([try #require(golden["context"])])
    return try modules.backend.host(model(latents, timesteps: timesteps, rotary: rotary, context: context)[0])
  }

  @Test("two prompts at once give what each gives alone", arguments: families)
  func batch(family: String) throws {
    let golden = try Golden.tensors("parts/\(family).safetensors")
    let modules = try GoldenModules(family: family)
    let model = try modules.transformer(.high)
    let x = try #require(golden["x"])
    let latents = golden["y"].map { ReferenceBackend().concatenated([x, $0]) } ?? x
    let grid = TokenGrid(latents: latents.shape)
    let rotary = RotaryTable(headDimension: model.configuration.headDimension, grid: grid, on: modules.backend)
    let timesteps = TokenTimesteps(500, tokens: grid.count)
    let prompts = [try #require(golden["context"]), Tensor.random([3, model.configuration.textDimension], seed: 5)]
    let together = try model(
      latents, timesteps: timesteps, rotary: rotary, context: model.context(prompts))
    for (prompt, velocity) in zip(prompts, together) {
      let alone = try model(latents, timesteps: timesteps, rotary: rotary, context: model.context([prompt]))
      #expect(relativeError(velocity, alone[0]) <= 1e-6)
    }
  }

  @Test("the autoencoder encodes and decodes as published", arguments: families)
  func autoencoder(family: String) throws {
    let golden = try Golden.tensors("parts/\(family).safetensors")
    let modules = try GoldenModules(family: family)
    let latent = try modules.encoder()(try #require(golden["video"]))
    #expect(relativeError(latent, try #require(golden["latent"])) <= Self.tolerance)
    let decoder = try modules.decoder()
    for (name, values) in [("decoded", DecodedValues.held), ("decoded_raw", .raw)] {
      var trace = GenerationTrace()
      var decoding = decoder.decoding(try #require(golden["latent"]), values: values)
      while let part = try decoding.next() { trace.frames.append(part.frames) }
      #expect(relativeError(try #require(trace.video), try #require(golden[name])) <= Self.tolerance, "\(name)")
    }
  }
}
