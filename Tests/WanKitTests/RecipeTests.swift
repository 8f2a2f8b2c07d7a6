import CPUBackend
import Foundation
import Sampling
import Synchronization
import Tensors
import TestSupport
import Testing
import WanKit

/// Distilled models are told by their names, and run as they were distilled.
struct RecipeTests {
  private static let pair =
    Golden.bundledFolder + "/formats/lora/lightx2v/Wan2.2-T2V-A14B-4steps-lora-rank4-Seko-V1.1/"
  private static let kohya = Golden.bundledFolder + "/formats/lora/kohya/style_"

  private func plan(
    _ loras: [String], model: String = "t2v", at path: String? = nil, parts: PartPaths = PartPaths(),
    change: (inout GenerationRequest) -> Void = { _ in }
  ) throws -> GenerationPlan {
    var request = GenerationRequest(prompt: "a cat")
    let model = try ModelFolder(path: path ?? Golden.bundledFolder + "/" + model, parts: parts)
    if model.family.conditioning == .channels { request.image = SmallRuns.image }
    request.adapters = loras.map { AdapterRequest(path: $0) }
    request.size = FrameSize(width: 64, height: 64)
    request.frames = 5
    change(&request)
    return try GenerationPlan(request, model: model, on: CPUBackend(threads: 1).traits)
  }

  @Test("a LoRA's folder tells the recipe: four unrounded steps, no guidance, two for each expert")
  func adapters() throws {
    let plan = try plan(["high", "low"].map { "\(Self.pair)\($0)_noise_model.safetensors" })
    #expect(plan.recipe?.recipe == .lightx2v && plan.recipe?.toldBy?.hasPrefix(Self.pair) == true)
    #expect(plan.schedule.timesteps == [1000, 937.5, 833.3333, 625] && plan.solver == .euler)
    #expect(plan.guidance == GuidanceScales(1) && !plan.isGuided)
    #expect(plan.experts == [.high, .high, .low, .low])
  }

  @Test("one half of a pair of LoRAs brings the other, unless its expert is named or both are there")
  func pairs() throws {
    let (high, low) = (Self.kohya + "high_noise.safetensors", Self.kohya + "low_noise.safetensors")
    func paths(_ requests: [AdapterRequest], model: String = "t2v") throws -> [String] {
      try plan([], model: model) { $0.adapters = requests }.adapters.map { "\($0.path) \($0.strength)" }
    }
    #expect(try paths([AdapterRequest(path: high, strength: 0.5)]) == ["\(high) 0.5", "\(low) 0.5"])
    #expect(try paths([AdapterRequest(path: low)]) == ["\(low) 1.0", "\(high) 1.0"])
    #expect(try paths([AdapterRequest(path: high, strength: 0.5, expert: .high)]) == ["\(high) 0.5"])
    let both = [AdapterRequest(path: high), AdapterRequest(path: low, strength: 0.7)]
    #expect(try paths(both) == ["\(high) 1.0", "\(low) 0.7"])
    // The same file by another path is no other half.
    let detour = Self.kohya.replacing("/kohya/", with: "/kohya/../kohya/") + "low_noise.safetensors"
    #expect(try paths([AdapterRequest(path: high), AdapterRequest(path: detour)]).count == 2)
  }

  @Test("a whole model's file tells it too")
  func models() throws {
    let folder = Golden.bundledFolder + "/formats/comfy/diffusion_models/"
    let plan = try plan(
      [],
      parts: PartPaths(
        highNoise: folder + "wan2.2_t2v_A14b_high_noise_scaled_fp8_e4m3_lightx2v_4step.safetensors",
        lowNoise: folder + "wan2.2_t2v_A14b_low_noise_int8_lightx2v_4step.safetensors"))
    #expect(plan.recipe?.recipe == .lightx2v && plan.steps == 4)
  }

  @Test("other names tell nothing, and a request goes before any name")
  func requests() throws {
    #expect(try plan(["\(Self.kohya)high_noise.safetensors"]).recipe == nil)
    let file = Self.pair + "high_noise_model.safetensors"
    #expect(try plan([file]) { $0.preset = "none" }.steps == 40)
    #expect(try plan([]) { $0.preset = "lightx2v" }.steps == 4)
    let overruled = try plan([file]) { ($0.steps, $0.guidance) = (6, GuidanceScales(1.2)) }
    #expect(overruled.steps == 6 && overruled.isGuided && overruled.shift == 5)
    #expect(throws: RequestError.self) { _ = try plan([]) { $0.preset = "x" } }
  }

  @Test("the high-noise expert takes as many steps as the recipe or the request says, whatever the timesteps")
  func switchSteps() throws {
    let late = try plan([]) { ($0.steps, $0.shift, $0.boundary) = (4, 5, 0.95) }
    #expect(late.experts == late.schedule.timesteps.map { $0 >= 950 ? .high : .low })
    #expect(Set(late.experts).count == 2 && ClipDescription(late).boundary == 0.95)
    let distilled = try plan([]) { ($0.preset, $0.boundary) = ("lightx2v", 0.6) }
    #expect(distilled.experts == [.high, .high, .high, .high] && distilled.switchStep == nil)
    for boundary in [-0.1, 1.5, .nan] {
      #expect(throws: RequestError.self) { _ = try plan([]) { $0.boundary = boundary } }
    }
    #expect(throws: RequestError.self) { _ = try plan([]) { ($0.steps, $0.switchStep, $0.boundary) = (4, 2, 0.9) } }
    #expect(throws: RequestError.self) { _ = try plan([], model: "ti2v") { $0.boundary = 0.9 } }
    let listed = try plan([]) { ($0.sigmas, $0.solver) = ([1, 0.9, 0.3], .euler) }
    #expect(listed.schedule.timesteps == [1000, 900, 300] && listed.steps == 3 && listed.shift == 1)
    #expect(ClipDescription(listed).timesteps == [1000, 900, 300] && ClipDescription(listed).sigmas == [1, 0.9, 0.3])
    #expect(throws: RequestError.self) { _ = try plan([]) { ($0.sigmas, $0.timesteps) = ([0.5], [500]) } }
    #expect(throws: RequestError.self) { _ = try plan([]) { ($0.sigmas, $0.steps) = ([0.5], 2) } }
    let shifted = try plan([]) { ($0.preset, $0.shift) = ("lightx2v", 1) }
    #expect(shifted.schedule.timesteps == [1000, 750, 500, 250] && shifted.experts == [.high, .high, .low, .low])
    let own = try plan([]) { ($0.preset, $0.steps, $0.switchStep) = ("lightx2v", 4, 3) }
    #expect(own.experts == [.high, .high, .high, .low] && ClipDescription(own).switchStep == 3)
    // For another number of steps the recipe has no say in it.
    #expect(try plan([]) { ($0.preset, $0.steps) = ("lightx2v", 2) }.experts == [.high, .low])
    #expect(throws: RequestError.self) { _ = try plan([]) { ($0.steps, $0.switchStep) = (4, 5) } }
    #expect(throws: RequestError.self) { _ = try plan([], model: "ti2v") { $0.switchStep = 1 } }
  }

  @Test("FastWan's steps are as they are, or warped where a shift is asked for")
  func fastwan() throws {
    let raw = try plan([], model: "ti2v") { $0.preset = "fastwan" }
    #expect(raw.schedule.timesteps == [1000, 757, 522] && raw.solver == .lcm && !raw.isGuided && raw.shift == 1)
    let warped = try plan([], model: "ti2v") { ($0.preset, $0.shift) = ("fastwan", 5) }
    #expect(relativeError(warped.schedule.timesteps, [1000, 939.6723, 845.2073]) < 1e-6)
    #expect(relativeError(warped.schedule.sigmas, [1, 0.9396723, 0.8452073, 0]) < 1e-6)
    let two = try plan([], model: "ti2v") { ($0.preset, $0.steps) = ("fastwan", 2) }
    #expect(two.schedule.timesteps == [1000, 757] && two.warnings.isEmpty)
    let many = try plan([], model: "ti2v") { ($0.preset, $0.steps) = ("fastwan", 5) }
    #expect(many.steps == 5 && many.warnings.count == 1 && many.shift == 5)
  }

  @Test("TurboWan's steps lie at its angles; a shift changes nothing and is told so")
  func turbo() throws {
    let plan = try plan([], model: "i2v") { ($0.preset, $0.shift) = ("turbo", 8) }
    #expect(plan.schedule == (try Schedule(sigmaMax: 200, angles: [1.5, 1.4, 1.0])) && plan.solver == .lcm)
    #expect(plan.experts == [.high, .high, .low, .low])
    #expect(plan.warnings.count == 1 && plan.warnings[0].contains("shift 8.0 changes nothing"))
    let ode = try self.plan([], model: "i2v") { ($0.preset, $0.solver, $0.steps) = ("turbo", .euler, 1) }
    #expect(ode.solver == .euler && ode.schedule.sigmas.count == 2 && ode.schedule.noiseScale < 1)
  }

  @Test("names tell FastWan and TurboWan for the models that they were made from")
  func names() throws {
    let folder = try TemporaryFolder()
    for (name, family, expected) in [
      ("FastWan2.2-TI2V-5B-FullAttn-Diffusers", "ti2v", "fastwan"), ("TurboWan2.2-I2V-A14B-720P", "i2v", "turbo"),
      ("FastWan-like", "i2v", nil), ("ti2v-turbo", "ti2v", nil),
    ] {
      let path = folder.path(name)
      try FileManager.default.createSymbolicLink(
        atPath: path, withDestinationPath: Golden.bundledFolder + "/" + family)
      #expect(try plan([], at: path).recipe?.recipe.name == expected, "\(name)")
    }
  }

  @Test("a folder's generation_config.json tells recipe, timesteps and switch, and is overruled by the request")
  func configuration() throws {
    let copy = try ModelCopy(of: "t2v")
    let name = "generation_config.json"
    try copy.write(#"{"recipe": "lightx2v", "steps": 5, "switch": 1}"#, to: name)
    let plan = try plan([], at: copy.path)
    #expect(plan.recipe?.toldBy == copy.path + "/" + name && plan.steps == 5 && !plan.isGuided && plan.shift == 5)
    #expect(plan.experts == [.high, .low, .low, .low, .low])
    // The folder's own recipe by its name is the same; another one, or none, has no use for what is said of it.
    #expect(try self.plan([], at: copy.path) { $0.preset = "lightx2v" }.experts == plan.experts)
    let none = try self.plan([], at: copy.path) { $0.preset = "none" }
    #expect(none.recipe == nil && none.steps == 40 && none.shift == 12 && none.isGuided && none.switchStep == nil)
    let turbo = try self.plan([], at: copy.path) { $0.preset = "turbo" }
    #expect(turbo.solver == .lcm && turbo.steps == 4 && turbo.switchStep == nil)

    try copy.write(#"{"timesteps": [1000, 900, 400], "solver": "lcm"}"#, to: name)
    let listed = try self.plan([], at: copy.path)
    #expect(listed.schedule.timesteps == [1000, 900, 400] && listed.solver == .lcm)
    #expect(try self.plan([], at: copy.path) { $0.steps = 4 }.steps == 4)

    for bad in [#"{"recipe": "x"}"#, #"{"timesteps": 3}"#, #"{"timesteps": []}"#, #"{"switch": -1}"#] {
      try copy.write(bad, to: name)
      #expect(throws: ModelError.self, "\(bad)") { _ = try self.plan([], at: copy.path) }
    }
  }

  @Test("timesteps of a request are what the model is told; a shift that is given warps them")
  func timesteps() throws {
    let list: [Float] = [1000, 750, 500, 250]
    let raw = try plan([]) { ($0.timesteps, $0.solver) = (list, .euler) }
    #expect(raw.schedule.timesteps == list && raw.shift == 1)
    let warped = try plan([]) { ($0.timesteps, $0.shift, $0.solver) = (list, 5, .euler) }
    #expect(relativeError(warped.schedule.timesteps, [1000, 937.5, 833.33333, 625]) < 1e-6)
    #expect(throws: RequestError.self) { _ = try plan([]) { $0.timesteps = list } }  // UniPC from 1000
    #expect(throws: RequestError.self) {
      _ = try plan([]) { ($0.timesteps, $0.solver, $0.steps) = (list, .euler, 3) }
    }
  }

  @Test("the noise of each step after the first is the generator's next draw")
  func freshNoise() async throws {
    final class Watcher: StepObserver {
      let seen = Mutex<[(latents: [Float], clean: [Float])]>([])
      func observe(_ step: StepResult) {
        seen.withLock { $0.append((step.latents.floats(), step.clean.floats())) }
      }
    }
    let plan = try plan([], model: "ti2v") { ($0.preset, $0.noise, $0.seed) = ("fastwan", .cpu, 9) }
    let watcher = Watcher()
    let trace = try #require(
      try await Engine(backend: CPUBackend(threads: 2)).run(plan, keepTrace: true, observers: [watcher]) { _ in })
    var generator = NoiseSource.cpu.generator(seed: 9)
    #expect(trace.noise?.floats() == generator.normal(plan.latentShape).floats())
    for (step, seen) in watcher.seen.withLock({ $0 }).enumerated() {
      let level = plan.schedule.sigmas[step + 1]
      let fresh =
        level > 0 ? generator.normal(plan.latentShape).floats() : [Float](repeating: 0, count: seen.clean.count)
      #expect(relativeError(seen.latents, zip(seen.clean, fresh).map { (1 - level) * $0 + level * $1 }) < 1e-6)
    }
  }
}
