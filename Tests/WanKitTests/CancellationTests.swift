import CPUBackend
import Synchronization
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

struct CancellationTests {
  /// Starts a run and cancels it once `isTime` says so of the events so far.
  private func cancelled(
    steps: Int, frames: Int = 5, tiling: VAETiling? = nil, when isTime: @escaping @Sendable (GenerationEvent) -> Bool
  ) async throws -> EventRecorder {
    var request = SmallRuns.request(steps: steps)
    (request.frames, request.decodingTiling) = (frames, tiling)
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

  @Test("a cancelled run stops between two parts of a tile")
  func tiles() async throws {
    let tiling = VAETiling(rows: 1, columns: 2)
    let recorder = try await cancelled(steps: 1, frames: 401, tiling: tiling) {
      if case .tiles = $0 { true } else { false }
    }
    #expect(recorder.summary.contains("tiles 1/202"))
    #expect(!recorder.summary.contains("frames 1/401"))
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
