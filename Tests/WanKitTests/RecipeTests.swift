import CPUBackend
import Sampling
import TestSupport
import Testing
import WanKit

/// Distilled models are told by their names, and run as they were distilled.
struct RecipeTests {
  private static let pair =
    Golden.bundledFolder + "/formats/lora/lightx2v/Wan2.2-T2V-A14B-4steps-lora-rank4-Seko-V1.1/"
  private static let kohya = Golden.bundledFolder + "/formats/lora/kohya/style_"

  private func plan(
    _ loras: [String], parts: PartPaths = PartPaths(), change: (inout GenerationRequest) -> Void = { _ in }
  ) throws -> GenerationPlan {
    var request = GenerationRequest(prompt: "a cat")
    request.adapters = loras.map { AdapterRequest(path: $0) }
    request.size = FrameSize(width: 64, height: 48)
    request.frames = 5
    change(&request)
    let model = try ModelFolder(path: Golden.bundledFolder + "/t2v", parts: parts)
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
}
