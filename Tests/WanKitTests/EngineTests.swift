import CPUBackend
import Foundation
import Layers
import Sampling
import Synchronization
import Tensors
import TestSupport
import Testing
import WanKit

struct EngineTests {
  private func plan(_ model: String = "ti2v", steps: Int = 1, seed: UInt64 = 5) throws -> GenerationPlan {
    var request = SmallRuns.request(steps: steps)
    request.seed = seed
    return try GenerationPlan(request, model: SmallRuns.model(model), on: .reference)
  }

  /// The stages of loading in a run.
  private func loading(_ engine: Engine, _ plan: GenerationPlan) async throws -> [GenerationStage] {
    let recorder = EventRecorder()
    try await engine.run(plan, onEvent: { recorder($0) }, frames: { _ in })
    return recorder.events.compactMap { event in
      if case .began(let stage) = event, stage.rawValue.hasPrefix("loading") { stage } else { nil }
    }
  }

  @Test("without a budget nothing stays, and every run loads all that it needs")
  func nothingStays() async throws {
    let engine = Engine(backend: CPUBackend(threads: 2))
    let plan = try plan()
    for _ in 0..<2 {
      let changes = await engine.changes(for: plan)
      #expect(changes.loads == [.textEncoder, .transformer, .decoder])
      #expect(changes.drops == [.textEncoder, .transformer, .decoder])
      #expect(
        try await loading(engine, plan) == [.loadingTextEncoder, .loadingTransformer, .loadingDecoder])
      #expect(await engine.loaded == [])
    }
  }

  @Test("with room for all a second run loads nothing, and gives the same clip")
  func allStays() async throws {
    let engine = Engine(backend: CPUBackend(threads: 2), budget: 1 << 40)
    let plan = try plan("t2v", steps: 4)
    #expect(try await loading(engine, plan).count == 4)
    let all: [NetworkRole] = [.textEncoder, .highNoiseTransformer, .lowNoiseTransformer, .decoder]
    #expect(await engine.loaded == all)
    let changes = await engine.changes(for: plan)
    #expect(changes.loads == [] && changes.drops == [])
    #expect(try await loading(engine, plan) == [])
    let again = try #require(try await engine.run(plan, keepTrace: true) { _ in })
    let fresh = try await SmallRuns.trace(SmallRuns.model("t2v"), SmallRuns.request(steps: 4))
    #expect(try again.bits() == fresh.bits())
    try await engine.unload()
    #expect(await engine.loaded == [])
  }

  @Test("what was used longest ago goes first, and what will go is told before")
  func order() async throws {
    let first = try plan()
    let decoder = try #require(first.model.autoencoder).source.byteCount
    let engine = Engine(backend: CPUBackend(threads: 2), budget: decoder)
    try await engine.run(first) { _ in }
    #expect(await engine.loaded == [.decoder])
    let changes = await engine.changes(for: first)
    #expect(changes.loads.contains(.textEncoder) && changes.loads.contains(.transformer))
  }

  @Test("a checkpoint that was replaced is another network")
  func replaced() async throws {
    let copy = try ModelCopy(of: "ti2v")
    let engine = Engine(backend: CPUBackend(threads: 2), budget: 1 << 40)
    func run() async throws -> [GenerationStage] {
      try await loading(
        engine, GenerationPlan(SmallRuns.request(steps: 1), model: ModelFolder(path: copy.path), on: .reference))
    }
    #expect(try await run().count == 3)
    #expect(try await run() == [])
    try copy.rewrite(ModelCopy.transformer) { $0.replace("head.head.bias") { Tensor.zeros($0.shape) } }
    #expect(try await run() == [.loadingTransformer])
  }

  /// A job that holds its turn, from its first frame on, until it is told to go on.
  private struct Holder {
    let task: Task<Void, any Error>
    private let gate: AsyncStream<Void>.Continuation

    init(_ engine: Engine, _ plan: GenerationPlan, onEnd: @escaping @Sendable () -> Void = {}) async {
      let (gates, held) = (AsyncStream<Void>.makeStream(), AsyncStream<Void>.makeStream())
      gate = gates.continuation
      task = Task {
        try await engine.run(plan) { _ in
          held.continuation.yield()
          for await _ in gates.stream { break }
        }
        onEnd()
      }
      for await _ in held.stream { break }
    }

    func goOn() { gate.finish() }
  }

  /// Lines from several tasks, in the order in which they came.
  private final class Log: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }
    func note(_ line: String) { kept.withLock { $0.append(line) } }
  }

  @Test("jobs take their turns in the order in which they came, one at a time")
  func turns() async throws {
    let engine = Engine(backend: CPUBackend(threads: 2))
    let plan = try plan()
    let log = Log()
    let first = await Holder(engine, plan) { log.note("a ends") }
    var others: [Task<Void, any Error>] = []
    for name in ["b", "c"] {
      others.append(
        Task {
          try await engine.run(
            plan, onEvent: { if case .began(.encodingText) = $0 { log.note("\(name) begins") } }, frames: { _ in })
          log.note("\(name) ends")
        })
      try await waitUntil { await engine.waitingCount == others.count }
    }
    first.goOn()
    for task in [first.task] + others { try await task.value }
    let order = log.lines
    #expect(order.filter { $0.hasSuffix("begins") } == ["b begins", "c begins"])
    #expect(try #require(order.firstIndex(of: "c begins")) > (try #require(order.firstIndex(of: "b begins"))))
    #expect(Set(order) == ["a ends", "b begins", "b ends", "c begins", "c ends"])
  }

  @Test("a job that waits can be cancelled, and leaves the turn to the next")
  func cancelledWaiting() async throws {
    let engine = Engine(backend: CPUBackend(threads: 2))
    let plan = try plan()
    let first = await Holder(engine, plan)
    let waiting = Task { try await engine.run(plan) { _ in } }
    try await waitUntil { await engine.waitingCount == 1 }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(await engine.waitingCount == 0)
    let last = Task { try await engine.run(plan) { _ in } }
    first.goOn()
    try await first.task.value
    _ = try await last.value
  }

  @Test("an observer sees every step with its clean sample, and may end the run")
  func observers() async throws {
    final class Watcher: StepObserver {
      let seen = Mutex<[(step: Int, isClose: Bool)]>([])
      func observe(_ step: StepResult) throws {
        #expect(step.clean.shape == step.latents.shape)
        seen.withLock { $0.append((step.step, relativeError(step.clean, step.latents) < 1e-5)) }
        if step.step == 3 { throw Enough() }
      }
    }
    struct Enough: Error {}
    let engine = Engine(backend: CPUBackend(threads: 2))
    let watcher = Watcher()
    try await engine.run(plan(steps: 2), observers: [watcher]) { _ in }
    // After the last step, at noise level 0, the latents are the clean sample.
    #expect(watcher.seen.withLock { $0.map(\.step) } == [1, 2])
    #expect(watcher.seen.withLock { $0.map(\.isClose) } == [false, true])
    await #expect(throws: Enough.self) { try await engine.run(plan(steps: 5), observers: [watcher]) { _ in } }
    #expect(watcher.seen.withLock { $0.map(\.step) } == [1, 2, 1, 2, 3])
  }

  @Test(
    "a run that goes on from any step makes the clip of the whole run", arguments: SolverKind.allCases, ["ti2v", "i2v"])
  func resumed(solver: SolverKind, model: String) async throws {
    final class Keeper: StepObserver {
      let states = Mutex<[RunState]>([])
      func observe(_ step: StepResult) { states.withLock { $0.append(step.state) } }
    }
    for guidance in [5, 1] as [Float] {
      var request = SmallRuns.request(steps: 4)
      (request.solver, request.image, request.guidance) = (solver, SmallRuns.image, GuidanceScales(guidance))
      let plan = try GenerationPlan(request, model: SmallRuns.model(model), on: .reference)
      let (engine, keeper) = (Engine(backend: CPUBackend(threads: 2), budget: 1 << 40), Keeper())
      let whole = try #require(try await engine.run(plan, keepTrace: true, observers: [keeper]) { _ in })
      let states = keeper.states.withLock { $0 }
      #expect(states.map(\.facts.step) == [1, 2, 3, 4])
      for state in states {
        let rest = try #require(try await engine.run(plan, from: try Self.copied(state), keepTrace: true) { _ in })
        #expect(rest.latents.map { $0.floats() } == whole.latents.suffix(4 - state.facts.step).map { $0.floats() })
        #expect(rest.video?.floats() == whole.video?.floats())
      }
    }
  }

  /// A state that went through text and numbers, as a file would have them.
  private static func copied(_ state: RunState) throws -> RunState {
    let facts = try JSONDecoder().decode(RunState.Facts.self, from: JSONEncoder().encode(state.facts))
    let tensors = state.tensors.map { ($0.name, Tensor($0.tensor.floats(), shape: $0.tensor.shape)) }
    return try RunState(facts, tensors: Dictionary(uniqueKeysWithValues: tensors))
  }

  @Test("a state of another run is refused before a step")
  func stranger() async throws {
    let plan = try plan(steps: 2)
    let latents = Tensor.zeros(plan.latentShape)
    func state(
      step: Int = 1, after index: Int? = nil, solver: SolverKind = .unipc, seed: UInt64 = 5, _ latents: Tensor,
      _ history: [String: Tensor]
    ) -> RunState {
      let facts = RunState.Facts(step: step, solver: solver, seed: seed, noise: .cpu, draws: [latents.count])
      return RunState(facts, latents: latents, history: SolverState(index: index ?? step, tensors: history))
    }
    let good = ["latents": latents, "clean": latents]
    for bad in [
      state(step: 3, latents, good), state(step: -1, latents, good), state(solver: .euler, latents, [:]),
      state(seed: 6, latents, good), state(.zeros([1]), good), state(latents, ["clean": latents]),
      state(step: 0, after: 1, latents, good), state(latents, ["latents": latents, "clean": .zeros([1])]),
    ] {
      let engine = Engine(backend: CPUBackend(threads: 2))
      await #expect(throws: SamplingError.self) { try await engine.run(plan, from: bad) { _ in } }
    }
    #expect(throws: SamplingError.self) {
      try RunState(state(latents, good).facts, tensors: ["latents": latents, "x": latents])
    }
  }

  @Test("a backend of another memory makes the clip of the host's")
  func remote() async throws {
    let request = SmallRuns.request(steps: 1)
    let host = try await SmallRuns.trace(SmallRuns.model("ti2v"), request)
    let remote = try await SmallRuns.trace(
      SmallRuns.model("ti2v"), request, backend: RemoteBackend(behind: CPUBackend(threads: 2)))
    #expect(relativeError(try #require(remote.video), try #require(host.video)) < 1e-4)
  }

  @Test("an error of the device ends the run with the device's sentence")
  func device() async throws {
    let failure = DeviceError(device: "card", reason: "out of memory")
    await #expect(throws: failure) {
      _ = try await SmallRuns.trace(
        SmallRuns.model("ti2v"), backend: RemoteBackend(behind: CPUBackend(threads: 2), failing: failure))
    }
  }

  private func waitUntil(_ condition: () async -> Bool) async throws {
    for _ in 0..<10_000 where !(await condition()) { try await Task.sleep(for: .milliseconds(1)) }
    #expect(await condition())
  }
}
