import CPUBackend
import Synchronization
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

/// Cancels a run from inside one of its events: another task might not get a thread before the run is over.
private final class Canceller: Sendable {
  let task = Mutex<Task<Void, any Error>?>(nil)
  /// How many events there were when it was first cancelled.
  let events = Mutex<Int?>(nil)

  func cancel(after count: Int) {
    events.withLock { $0 = $0 ?? count }
    task.withLock { $0?.cancel() }
  }
}

struct CancellationTests {
  /// Starts a run and cancels it once `isTime` says so of an event.
  private func cancelled(
    steps: Int, frames: Int = 5, tiling: VAETiling? = nil, when isTime: @escaping @Sendable (GenerationEvent) -> Bool
  ) async throws -> EventRecorder {
    var request = SmallRuns.request(steps: steps)
    (request.frames, request.decodingTiling) = (frames, tiling)
    let plan = try GenerationPlan(request, model: SmallRuns.model("ti2v"), on: .reference)
    let (recorder, canceller) = (EventRecorder(), Canceller())
    let (start, begin) = AsyncStream<Void>.makeStream()
    let task = Task {
      for await _ in start { break }
      try await Engine(backend: CPUBackend(threads: 1)).run(
        plan,
        onEvent: { event in
          recorder(event)
          if isTime(event) { canceller.cancel(after: recorder.events.count) }
        }, frames: { _ in })
    }
    canceller.task.withLock { $0 = task }
    begin.yield()
    await #expect(throws: CancellationError.self) { try await task.value }
    let before = try #require(canceller.events.withLock { $0 })
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

  @Test("a cancelled run stops before it loads the text encoder")
  func loading() async throws {
    let recorder = try await cancelled(steps: 1) { if case .began(.encodingText) = $0 { true } else { false } }
    #expect(recorder.summary == ["encodingText"])
  }

  @Test("a cancelled task makes no plan")
  func planning() async throws {
    let model = try SmallRuns.model("ti2v")
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      _ = try GenerationPlan(SmallRuns.request(), model: model, on: .reference)
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("a run of a cancelled task does not begin")
  func before() async throws {
    let plan = try GenerationPlan(SmallRuns.request(), model: SmallRuns.model("ti2v"), on: .reference)
    let recorder = EventRecorder()
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await Engine(backend: CPUBackend(threads: 1)).run(
        plan, onEvent: { recorder($0) }, frames: { _ in })
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(recorder.steps.isEmpty)
  }
}
