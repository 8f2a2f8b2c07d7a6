import Layers
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

struct GuidanceTests {
  @Test("guidance 1 leaves the negative prompt out")
  func unguided() async throws {
    let model = try SmallRuns.model("ti2v")
    var request = SmallRuns.request()
    request.guidance = GuidanceScales(1)
    let counter = CountingBackend()
    let trace = try await SmallRuns.trace(model, request, backend: counter)
    #expect(trace.contextNull == nil && trace.negativeIDs.isEmpty)
    #expect(counter.batchSizes == [1])
    request.negativePrompt = "something else altogether"
    #expect(try await SmallRuns.trace(model, request).bits() == trace.bits())
    request.guidance = GuidanceScales(5)
    let guided = CountingBackend()
    _ = try await SmallRuns.trace(model, request, backend: guided)
    #expect(guided.batchSizes == [2])
  }

  @Test("steps outside the guided ones take the prompt alone", arguments: ["ti2v", "t2v"])
  func guidedSteps(name: String) async throws {
    let model = try SmallRuns.model(name)
    var request = SmallRuns.request(steps: 4)
    (request.guidance, request.solver) = (GuidanceScales(5), .euler)
    let whole = try await SmallRuns.trace(model, request)
    request.guidedSteps = 1...2
    let counter = CountingBackend()
    let early = try await SmallRuns.trace(model, request, backend: counter)
    #expect(counter.batchSizes == [1, 2])
    #expect(early.latents.prefix(2).map { $0.floats() } == whole.latents.prefix(2).map { $0.floats() })
    #expect(early.latents[2].floats() != whole.latents[2].floats())
    request.guidedSteps = 4...4
    let late = try await SmallRuns.trace(model, request)
    request.guidance = GuidanceScales(1)
    request.guidedSteps = nil
    let plain = try await SmallRuns.trace(model, request)
    let near = zip(late.latents, plain.latents).map { relativeError($0, $1) }
    #expect(near.prefix(3).allSatisfy { $0 < 1e-5 } && near[3] > 1e-3)
    request.guidance = GuidanceScales(5)
    request.guidedSteps = 1...4
    #expect(try await SmallRuns.trace(model, request).bits() == whole.bits())
  }

  @Test("guided steps that are none are refused, and the rest is told")
  func guidedStepsPlan() throws {
    let model = try SmallRuns.model("ti2v")
    func plan(_ steps: ClosedRange<Int>, guidance: Float = 5) throws -> GenerationPlan {
      var request = SmallRuns.request(steps: 4)
      (request.guidance, request.guidedSteps) = (GuidanceScales(guidance), steps)
      return try GenerationPlan(request, model: model, on: .reference)
    }
    #expect(ClipDescription(try plan(2...3)).guidedSteps == 2...3)
    #expect(ClipDescription(try plan(1...4)).guidedSteps == nil)
    for steps in [0...2, 2...5, 5...9] { #expect(throws: RequestError.self) { try plan(steps) } }
    #expect(throws: RequestError.self) { try plan(1...2, guidance: 1) }
  }

  @Test("a step with guidance 1 is a step along the prompt's own velocity")
  func velocity() async throws {
    let model = try SmallRuns.model("ti2v")
    var request = SmallRuns.request(steps: 1)
    (request.guidance, request.solver) = (GuidanceScales(1), .euler)
    let trace = try await SmallRuns.trace(model, request)
    let noise = try #require(trace.noise)
    let velocity = try conditionalVelocity(model, noise: noise, prompt: #require(trace.context))
    // One Euler step from sigma 1 to 0: x - v.
    let expected = zip(noise.floats(), velocity.floats()).map { $0 - $1 }
    #expect(relativeError(trace.latents[0].floats(), expected) < 1e-6)
  }

  private func conditionalVelocity(_ model: ModelFolder, noise: Tensor, prompt: Tensor) throws -> Tensor {
    let backend = CountingBackend()
    let transformer = try model.transformers[.only].load(on: backend, precision: .f32)
    let grid = TokenGrid(latents: noise.shape)
    return try transformer(
      noise, timesteps: TokenTimesteps(1000, tokens: grid.count),
      rotary: RotaryTable(headDimension: transformer.configuration.headDimension, grid: grid, on: backend),
      context: transformer.context([prompt]))[0]
  }

  @Test("each expert has its own scale")
  func perExpert() async throws {
    let model = try SmallRuns.model("t2v")
    var request = SmallRuns.request(steps: 4)
    request.guidance = GuidanceScales(low: 3, high: 4)
    let base = try await SmallRuns.trace(model, request)
    request.guidance = GuidanceScales(low: 9, high: 4)
    let other = try await SmallRuns.trace(model, request)
    #expect(base.experts == [.high, .high, .high, .low])
    #expect(base.latents.prefix(3).map { $0.floats() } == other.latents.prefix(3).map { $0.floats() })
    #expect(base.latents[3].floats() != other.latents[3].floats())
  }

  @Test("a known first frame stays in the latents, whatever the solver does")
  func firstFrame() async throws {
    let model = try SmallRuns.model("ti2v")
    var request = SmallRuns.request(steps: 2)
    let text = try await SmallRuns.trace(model, request)
    request.image = SmallRuns.image
    let trace = try await SmallRuns.trace(model, request)
    #expect(trace.noise?.floats() == text.noise?.floats())
    #expect(try trace.bits() != text.bits())
    request.seed = 99
    let other = try await SmallRuns.trace(model, request)
    // The first decoded frame depends on the first latent frame alone, and that one is the image.
    #expect(trace.frames[0].floats() == other.frames[0].floats())
    #expect(trace.frames[1].floats() != other.frames[1].floats())
  }
}
