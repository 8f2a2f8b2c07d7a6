import CPUBackend
import Synchronization
import Tensors
import TestSupport
import Testing
import WanKit

struct CancellationTests {
  /// Starts a run and cancels it once `isTime` says so of the events so far.
  private func cancelled(
    steps: Int, frames: Int = 5, when isTime: @escaping @Sendable (GenerationEvent) -> Bool
  ) async throws -> EventRecorder {
    var request = SmallRuns.request(steps: steps)
    request.frames = frames
    let plan = try GenerationPlan(request, model: SmallRuns.model("ti2v"))
    let recorder = EventRecorder()
    let (reached, signal) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await Generator(backend: CPUBackend(threads: 1)).run(
        plan,
        onEvent: { event in
          recorder(event)
          if isTime(event) { signal.yield() }
        }, frames: { _ in })
    }
    for await _ in reached { break }
    task.cancel()
    let before = recorder.events.count
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(recorder.events.count <= before + 1, "more than the step in flight was finished")
    return recorder
  }

  @Test("a cancelled run stops within a step")
  func sampling() async throws {
    let recorder = try await cancelled(steps: 500) { if case .step = $0 { true } else { false } }
    #expect(recorder.steps.count < 500)
    #expect(!recorder.summary.contains("decoding"))
  }

  @Test("a cancelled run stops while it decodes")
  func decoding() async throws {
    let recorder = try await cancelled(steps: 1, frames: 401) { if case .frames = $0 { true } else { false } }
    #expect(recorder.summary.contains("decoding"))
    #expect(recorder.summary.last != "frames 401/401")
  }

  @Test("a run of a cancelled task does not begin")
  func before() async throws {
    let plan = try GenerationPlan(SmallRuns.request(), model: SmallRuns.model("ti2v"))
    let recorder = EventRecorder()
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await Generator(backend: CPUBackend(threads: 1)).run(
        plan, onEvent: { recorder($0) }, frames: { _ in })
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(recorder.steps.isEmpty)
  }
}
