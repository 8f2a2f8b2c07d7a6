import CPUBackend
import Foundation
import Media
import Sampling
import Synchronization
import Tensors
import TestSupport
import Testing
import WanKit

/// Runs some of whose steps do without the transformer.
struct StepCachingTests {
  private final class Keeper: StepObserver {
    let states = Mutex<[RunState]>([])
    let skipped = Mutex<[Int]>([])
    func observe(_ step: StepResult) {
      states.withLock { $0.append(step.state) }
      if step.isSkipped { skipped.withLock { $0.append(step.step) } }
    }
  }

  private func request(_ model: String, _ caching: StepCaching?, steps: Int = 12) -> GenerationRequest {
    var request = SmallRuns.request(steps: steps)
    request.caching = caching
    if model != "t2v" { request.image = SmallRuns.image }
    return request
  }

  private func plan(_ request: GenerationRequest, _ model: String) throws -> GenerationPlan {
    try GenerationPlan(request, model: SmallRuns.model(model), on: .reference)
  }

  @Test("a threshold of 0 makes the clip of a run without a cache, bit by bit", arguments: ["t2v", "i2v", "ti2v"])
  func nothing(model: String) async throws {
    let bits = try await [nil, StepCaching(threshold: 0)].map { request(model, $0) }.asyncMap { request in
      try await SmallRuns.trace(SmallRuns.model(model), request).bits()
    }
    #expect(bits[0] == bits[1])
  }

  @Test("every solver, guided or not: a run that goes on from any step makes the clip of the whole run")
  func resumed() async throws {
    for (solver, model, guidance) in [
      (SolverKind.unipc, "t2v", 5 as Float), (.dpmpp, "i2v", 5), (.euler, "ti2v", 1), (.lcm, "t2v", 3),
    ] {
      // Two experts of six steps each skip the last of the first expert too.
      var request = request(model, StepCaching(threshold: 10))
      (request.solver, request.guidance) = (solver, GuidanceScales(guidance))
      if model != "ti2v" { request.switchStep = 6 }
      let plan = try plan(request, model)
      let (engine, keeper) = (Engine(backend: CPUBackend(threads: 2), budget: 1 << 40), Keeper())
      let whole = try #require(try await engine.run(plan, keepTrace: true, observers: [keeper]) { _ in })
      let skipped = keeper.skipped.withLock { $0 }
      // What one transformer of random weights says changes a lot in twelve steps.
      if model == "ti2v" { #expect(skipped.count >= 7) } else { #expect(skipped == [3, 4, 5, 6, 9, 10, 11]) }
      for state in keeper.states.withLock({ $0 }) {
        let facts = try JSONDecoder().decode(RunState.Facts.self, from: JSONEncoder().encode(state.facts))
        let tensors = state.tensors.map { ($0.name, Tensor($0.tensor.floats(), shape: $0.tensor.shape)) }
        let copy = try RunState(facts, tensors: Dictionary(uniqueKeysWithValues: tensors))
        let rest = try #require(try await engine.run(plan, from: copy, keepTrace: true) { _ in })
        let same = rest.video?.floats() == whole.video?.floats()
        #expect(same, "\(model) \(solver) after step \(facts.step)")
      }
    }
  }

  @Test("a state with a cache is refused by a plan without one, and the other way round")
  func stranger() async throws {
    for (first, second) in [(StepCaching?.none, StepCaching?.some(.fast)), (.fast, .none)] {
      let keeper = Keeper()
      let engine = Engine(backend: CPUBackend(threads: 2))
      try await engine.run(plan(request("t2v", first), "t2v"), observers: [keeper]) { _ in }
      let state = keeper.states.withLock { $0[3] }
      await #expect(throws: SamplingError.self) {
        try await engine.run(plan(request("t2v", second), "t2v"), from: state) { _ in }
      }
    }
  }

  @Test("what is skipped is told: in the plan, at each step, and by where the run stood at last")
  func told() async throws {
    let plan = try plan(request("t2v", StepCaching(threshold: 10)), "t2v")
    #expect(plan.expectedSkips.map(\.steps).reduce(0, +) == 12 && plan.warnings.isEmpty)
    let summary = PlanSummary(plan, on: .reference)
    #expect(summary.clip.cache == StepCaching(threshold: 10))
    #expect(summary.cacheBytes == 3 * plan.latentShape.count * 4)
    #expect(summary.expectedSkips == plan.expectedSkips.map(\.skipped).reduce(0, +))
    let (recorder, saver) = (EventRecorder(), RunSaver(nil))
    try await Engine(backend: CPUBackend(threads: 2)).run(
      plan, observers: [saver], onEvent: { recorder($0) }, frames: { _ in })
    let last = try #require(saver.last)
    let skips = try #require(plan.skips(last))
    #expect(skips.map(\.skipped).reduce(0, +) == recorder.steps.filter { $0.skipped == true }.count)
    #expect(skips.map(\.expert) == [.high, .low] && skips.map(\.steps).reduce(0, +) == 12)
    for skips in skips {
      #expect(skips.skipped == recorder.steps.filter { $0.skipped == true && $0.expert == skips.expert }.count)
    }
  }

  @Test("without a cache nothing of it is told")
  func untold() async throws {
    let plan = try plan(request("t2v", nil), "t2v")
    let text = String(decoding: try JSONEncoder().encode(PlanSummary(plan, on: .reference)), as: UTF8.self)
    #expect(!text.contains("ache") && !text.contains("kip"))
    let request = String(decoding: try JSONEncoder().encode(request("t2v", nil)), as: UTF8.self)
    #expect(!request.contains("ache"))
  }

  @Test("few steps run without a cache, with a word on it; thresholds out of range are refused")
  func refusals() throws {
    let few = try plan(request("ti2v", .fast, steps: 7), "ti2v")
    #expect(few.caching == nil && few.warnings.contains { $0.contains("7 steps are too few to skip any") })
    for threshold in [-0.1, 10.5, .infinity, .nan] {
      let error = #expect(throws: RequestError.self) {
        try plan(request("ti2v", StepCaching(threshold: threshold)), "ti2v")
      }
      #expect(error?.description.hasPrefix("cache: ") == true)
    }
  }

  @Test(
    "a skipped step takes no weights: streamed experts give the clip of those in memory", arguments: ["t2v", "i2v"])
  func streamed(model: String) async throws {
    let traits = BackendTraits(memory: .host, precisions: [.f32, .bf16, .int8], usesWeightsInPlace: true)
    var request = request(model, StepCaching(threshold: 10))
    request.switchStep = 6
    var clips: [[[UInt8]]] = []
    for limit in [nil, MachineMemory.Limit(1, .free)] {
      let plan = try GenerationPlan(request, model: SmallRuns.model(model), on: traits, memory: limit)
      #expect((try plan.memoryPlan(on: traits).transformer != nil) == (limit != nil))
      let keeper = Keeper()
      let trace = try await Engine(backend: CPUBackend(threads: 2)).run(plan, keepTrace: true, observers: [keeper]) {
        _ in
      }
      clips.append(try #require(trace).frames.flatMap(RGBImage.frames).map(\.pixels))
      // Where the run goes on, the first steps may be skipped ones, of an expert that is not needed any more.
      for index in [2, 4, 5, 9] {
        let state = keeper.states.withLock { $0[index] }
        let rest = try await Engine(backend: CPUBackend(threads: 2)).run(plan, from: state, keepTrace: true) { _ in }
        clips.append(try #require(rest).frames.flatMap(RGBImage.frames).map(\.pixels))
      }
    }
    let same = clips.allSatisfy { $0 == clips[0] }
    #expect(same)
  }

  @Test("an expert all of whose remaining steps are skipped is not loaded")
  func unloaded() async throws {
    var request = request("t2v", StepCaching(threshold: 10))
    request.switchStep = 6
    let plan = try plan(request, "t2v")
    let keeper = Keeper()
    try await Engine(backend: CPUBackend(threads: 2)).run(plan, observers: [keeper]) { _ in }
    let recorder = EventRecorder()
    try await Engine(backend: CPUBackend(threads: 2)).run(
      plan, from: keeper.states.withLock { $0[3] }, onEvent: { recorder($0) }, frames: { _ in })
    #expect(recorder.summary.filter { $0 == "loadingTransformer" }.count == 1)
    #expect(recorder.steps.prefix(2).allSatisfy { $0.skipped == true })
  }

  @Test("on the bundled model half of the steps skipped are within 40 dB, three of five within 33")
  func bundled() async throws {
    let model = try ModelFolder(path: Golden.bundledFolder + "/../../Models/nano-ti2v")
    var noise = [StepCaching.balanced: [Double](), .fast: []]
    for (seed, prompt) in [
      "A red ball bounces, sunset scene, centered composition, warm tones, static camera.",
      "A blue star moves from right to left, daylight, static camera.", "A green square grows, night, static camera.",
    ].enumerated() {
      var request = GenerationRequest(prompt: prompt, seed: UInt64(seed))
      let plain = try #require(try await SmallRuns.trace(model, request).video).floats()
      for (caching, least) in [(StepCaching.balanced, 8), (.fast, 11)] {
        request.caching = caching
        let plan = try GenerationPlan(request, model: model, on: .reference)
        let saver = RunSaver(nil)
        let trace = try await Engine(backend: CPUBackend(threads: 2)).run(plan, keepTrace: true, observers: [saver]) {
          _ in
        }
        let skipped = saver.last?.facts.cache?.skipped.count ?? 0
        #expect(skipped >= least, "\(caching.name): \(skipped) of 20")
        noise[caching]?.append(Self.decibels(try #require(trace?.video).floats(), plain))
      }
    }
    for (caching, least) in [(StepCaching.balanced, 40.0), (.fast, 33)] {
      let found = noise[caching] ?? []
      #expect(found.reduce(0, +) / Double(found.count) >= least, "\(caching.name): \(found)")
    }
  }

  /// The peak of pixels in [-1, 1] against their distance.
  private static func decibels(_ clip: [Float], _ other: [Float]) -> Double {
    let squares = zip(clip, other).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    return 10 * log10(4 * Double(clip.count) / squares)
  }
}

extension Sequence {
  fileprivate func asyncMap<R>(_ transform: (Element) async throws -> R) async rethrows -> [R] {
    var results: [R] = []
    for element in self { results.append(try await transform(element)) }
    return results
  }
}
