import CPUBackend
import Foundation
import Sampling
import Synchronization
import Tensors
import TestSupport
import Testing
import WanKit

struct EventTests {
  private func record(_ name: String, _ edit: (inout GenerationRequest) -> Void = { _ in }) async throws
    -> EventRecorder
  {
    var request = SmallRuns.request()
    edit(&request)
    let plan = try GenerationPlan(request, model: SmallRuns.model(name), on: .reference)
    let recorder = EventRecorder()
    try await Engine(backend: CPUBackend(threads: 2)).run(plan, onEvent: { recorder($0) }, frames: { _ in })
    return recorder
  }

  @Test("a text-to-video run tells of every stage, step and frame in order")
  func text() async throws {
    let recorder = try await record("ti2v")
    #expect(
      recorder.summary == [
        "encodingText", "loadingTextEncoder", "end of loadingTextEncoder", "end of encodingText", "sampling",
        "loadingTransformer", "end of loadingTransformer", "step 1/3 only", "step 2/3 only", "step 3/3 only",
        "end of sampling", "decoding", "loadingDecoder", "end of loadingDecoder", "frames 1/5", "frames 5/5",
        "end of decoding",
      ])
    for step in recorder.steps {
      #expect(step.seconds >= 0 && step.seconds.isFinite)
      #expect(step.secondsLeft >= 0 && step.secondsLeft.isFinite)
      #expect((0...1000).contains(step.timestep))
    }
    #expect(recorder.steps.last?.secondsLeft == 0)
  }

  @Test("a run with two experts names each and tells when it loads")
  func experts() async throws {
    let recorder = try await record("t2v") { $0.steps = 4 }
    #expect(
      recorder.summary == [
        "encodingText", "loadingTextEncoder", "end of loadingTextEncoder", "end of encodingText", "sampling",
        "loadingTransformer", "end of loadingTransformer", "step 1/4 high", "step 2/4 high", "step 3/4 high",
        "loadingTransformer", "end of loadingTransformer", "step 4/4 low", "end of sampling", "decoding",
        "loadingDecoder", "end of loadingDecoder", "frames 1/5", "frames 5/5", "end of decoding",
      ])
  }

  @Test("an image is encoded before sampling", arguments: ["i2v", "ti2v"])
  func image(name: String) async throws {
    let recorder = try await record(name) {
      $0.image = SmallRuns.image
      $0.steps = 1
    }
    let stages = recorder.summary.filter { !$0.hasPrefix("end of") && !$0.hasPrefix("loading") }
    #expect(stages.prefix(3) == ["encodingText", "encodingImage", "sampling"])
    let loading = recorder.summary.filter { $0.hasPrefix("loading") }
    #expect(loading == ["loadingTextEncoder", "loadingImageEncoder", "loadingTransformer", "loadingDecoder"])
  }

  @Test("frames come in order, in float32 within [-1, 1]")
  func frames() async throws {
    let plan = try GenerationPlan(SmallRuns.request(steps: 1), model: SmallRuns.model("ti2v"), on: .reference)
    let shapes = Mutex<[Shape]>([])
    try await Engine(backend: CPUBackend(threads: 2)).run(plan) { frames in
      #expect(frames.dtype == .f32 && frames.floats().allSatisfy { abs($0) <= 1 })
      shapes.withLock { $0.append(frames.shape) }
    }
    #expect(shapes.withLock { $0 } == [[1, 32, 64, 3], [4, 32, 64, 3]])
  }

  @Test("an error of the frames' receiver ends the run and comes back")
  func receiver() async throws {
    struct Full: Error {}
    let plan = try GenerationPlan(SmallRuns.request(steps: 1), model: SmallRuns.model("ti2v"), on: .reference)
    let recorder = EventRecorder()
    await #expect(throws: Full.self) {
      try await Engine(backend: CPUBackend(threads: 2)).run(
        plan, onEvent: { recorder($0) }, frames: { _ in throw Full() })
    }
    #expect(recorder.summary.last == "end of loadingDecoder")
  }

  @MainActor
  @Test("a run started from the main actor computes elsewhere")
  func mainActor() async throws {
    let plan = try GenerationPlan(SmallRuns.request(steps: 1), model: SmallRuns.model("ti2v"), on: .reference)
    let onMain = Mutex(0)
    try await Engine(backend: CPUBackend(threads: 2)).run(
      plan, onEvent: { _ in onMain.withLock { $0 += Thread.isMainThread ? 1 : 0 } },
      frames: { _ in onMain.withLock { $0 += Thread.isMainThread ? 1 : 0 } })
    #expect(onMain.withLock { $0 } == 0)
  }
}
