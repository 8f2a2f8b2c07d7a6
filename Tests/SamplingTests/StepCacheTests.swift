import Foundation
import Sampling
import Tensors
import TestSupport
import Testing

/// Which steps do without the transformer, and what they use in its place.
struct StepCacheTests {
  private static let count = 24

  /// Latents and outputs of a run as it might go: each a step away from the one before.
  private struct Recorded {
    var latents: [[Float]] = []
    var outputs: [[[Float]]] = []

    init(branches: Int = 2, seed: UInt64 = 1) {
      var random = SeededGenerator(seed: seed)
      func moved(_ x: [Float], by size: Float) -> [Float] {
        x.map { $0 + size * Float.random(in: -1...1, using: &random) }
      }
      var x = moved(Array(repeating: 0, count: 60), by: 1)
      var y = (0..<branches).map { _ in moved(x, by: 1) }
      for _ in 0..<StepCacheTests.count {
        latents.append(x)
        outputs.append(y)
        x = moved(x, by: 0.08)
        y = y.enumerated().map { moved($0.element, by: 0.04 * Float($0.offset + 1)) }
      }
    }
  }

  private static func tensor(_ values: [Float]) -> Tensor { Tensor(values, shape: [3, 2, 2, 5]) }

  private func step(_ index: Int, _ expert: Expert = .only, branches: Int = 2) -> StepCache.Step {
    .init(index, of: Self.count, expert: expert, sigma: Self.sigma(index), branches: branches)
  }

  private static func sigma(_ index: Int) -> Float { 1 - Float(index) / Float(count) }

  /// Runs a cache over what was recorded.
  ///
  /// - Returns: of each step what was used in place of the transformer's outputs.
  private func walk(
    _ cache: inout StepCache, _ recorded: Recorded, experts: (Int) -> Expert = { _ in .only }, branches: Int = 2,
    after: (Int, StepCache) -> Void = { _, _ in }
  ) -> [[[Float]]?] {
    (0..<Self.count).map { index in
      let (place, latents) = (step(index, experts(index), branches: branches), Self.tensor(recorded.latents[index]))
      let kept = cache.outputs(at: place, latents: latents)
      if kept == nil { cache.record(recorded.outputs[index].map(Self.tensor), at: place, latents: latents) }
      after(index, cache)
      return kept.map { $0.map { $0.floats() } }
    }
  }

  /// The same rule in other words: every sum from the recorded arrays alone.
  private func expected(_ recorded: Recorded, threshold: Double) -> (skipped: [Int], sums: [[Double]]) {
    func mean(_ a: [Float], _ b: [Float]) -> Double {
      var total = 0.0
      for (a, b) in zip(a, b) { total += Double((a - b).magnitude) }
      return total / Double(a.count)
    }
    let nothing = [Float](repeating: 0, count: 60)
    var (computed, skipped, sums): ([Int], [Int], [[Double]]) = ([], [], [])
    var sum = [0.0, 0.0]
    for index in 0..<Self.count {
      let isFree = index >= 4 && index < Self.count - 1  // 15 % of 24 are 3.6
      if isFree {
        let (last, before) = (computed[computed.count - 1], computed[computed.count - 2])
        for branch in 0..<2 {
          let y = recorded.outputs
          let rate = mean(y[last][branch], y[before][branch]) / mean(recorded.latents[last], recorded.latents[before])
          sum[branch] +=
            rate * mean(recorded.latents[index], recorded.latents[last]) / mean(y[last][branch], nothing)
        }
      }
      if isFree, sum.allSatisfy({ $0 < threshold }) {
        skipped.append(index + 1)
      } else {
        computed.append(index)
        sum = [0, 0]
      }
      sums.append(sum)
    }
    return (skipped, sums)
  }

  @Test("the foreseen changes add up as they do by hand", arguments: [0.02, 0.1, 0.3, 1, 10])
  func arithmetic(threshold: Double) {
    for seed in 1...5 as ClosedRange<UInt64> {
      let recorded = Recorded(seed: seed)
      let (skipped, sums) = expected(recorded, threshold: threshold)
      var cache = StepCache(StepCaching(threshold: threshold), solver: .unipc)
      var found: [[Double]] = []
      let kept = walk(&cache, recorded, after: { _, cache in found.append(cache.state.facts.branches.map(\.sum)) })
      #expect(relativeError(found.joined().map { Float($0) }, sums.joined().map { Float($0) }) < 1e-6)
      #expect(cache.state.facts.skipped == skipped)
      let reused: [Int] = kept.indices.filter { kept[$0] != nil }
      #expect(reused == skipped.map { $0 - 1 })
      // What is used is each branch's last computed output.
      for index in kept.indices {
        guard let kept = kept[index] else { continue }
        let last = (0..<index).last { !skipped.contains($0 + 1) } ?? 0
        #expect(kept == recorded.outputs[last])
      }
    }
    #expect(expected(Recorded(), threshold: 0.3).skipped.count > 4, "the sample has something to skip")
  }

  @Test("a threshold of 0 skips nothing; no threshold skips the first steps, the last one, or any of a few")
  func bounds() {
    var none = StepCache(StepCaching(threshold: 0), solver: .unipc)
    #expect(walk(&none, Recorded()).allSatisfy { $0 == nil })
    // Latents that do not move at all foresee no change, and 0 is not below 0.
    var still = Recorded()
    still.latents = still.latents.map { _ in still.latents[0] }
    #expect(walk(&none, still).allSatisfy { $0 == nil })
    var all = StepCache(StepCaching(threshold: 1e9), solver: .unipc)
    _ = walk(&all, Recorded())
    #expect(all.state.facts.skipped == Array(5...23))
    for count in 1..<StepCaching.leastSteps {
      let experts = Array(repeating: Expert.only, count: count)
      let sigmas = (0...count).map { 1 - Float($0) / Float(count) }
      #expect(StepCaching(threshold: 10).expectedSkips(sigmas: sigmas, experts: experts).isEmpty)
    }
  }

  @Test("the branch that changes most decides, and a branch that was not there before is computed")
  func branches() {
    let (one, two) = (Recorded(branches: 1), Recorded(branches: 2))
    var (guided, plain) = (
      StepCache(StepCaching(threshold: 0.3), solver: .unipc), StepCache(StepCaching(threshold: 0.3), solver: .unipc)
    )
    _ = walk(&guided, two)
    _ = walk(&plain, one, branches: 1)
    #expect(guided.state.facts.skipped.count < plain.state.facts.skipped.count)
    // A step with the prompt alone can use what a guided one kept, but not the other way round.
    let latents = Self.tensor(two.latents[23])
    #expect(guided.outputs(at: step(10, branches: 1), latents: Self.tensor(two.latents[23]))?.count == 1)
    #expect(plain.outputs(at: step(10, branches: 2), latents: latents) == nil)
  }

  @Test("the first two steps of another expert are computed")
  func experts() {
    var cache = StepCache(StepCaching(threshold: 1e9), solver: .dpmpp)
    _ = walk(&cache, Recorded(), experts: { $0 < 11 ? .high : .low })
    #expect(cache.state.facts.skipped == Array(5...11) + Array(14...23))
  }

  @Test("numbers that are none are computed anew")
  func notFinite() {
    var recorded = Recorded()
    for index in recorded.outputs.indices { recorded.outputs[index][1][7] = .nan }
    var cache = StepCache(StepCaching(threshold: 10), solver: .euler)
    #expect(walk(&cache, recorded).allSatisfy { $0 == nil })
  }

  @Test("with fresh noise at each step, the clean sample is what is kept")
  func cleanSample() throws {
    let recorded = Recorded()
    var cache = StepCache(StepCaching(threshold: 1e9), solver: .lcm)
    let kept = walk(&cache, recorded)
    let (last, sigma) = (3, Self.sigma(3))
    for index in 4..<10 {
      let (outputs, level) = (try #require(kept[index]), Self.sigma(index))
      for branch in 0..<2 {
        let clean = zip(recorded.latents[index], outputs[branch]).map { $0 - level * $1 }
        let before = zip(recorded.latents[last], recorded.outputs[last][branch]).map { $0 - sigma * $1 }
        #expect(relativeError(clean, before) < 1e-5)
      }
    }
  }

  @Test("goes on from its state as if it had not stopped, and takes no other run's tensors")
  func state() throws {
    let recorded = Recorded()
    var whole = StepCache(StepCaching(threshold: 0.3), solver: .unipc)
    let kept = walk(&whole, recorded)
    for stop in [1, 5, 6, 7, 12, 20] {
      var cache = StepCache(StepCaching(threshold: 0.3), solver: .unipc)
      var (rest, isCopied): ([[[Float]]?], Bool) = ([], false)
      for index in 0..<Self.count {
        if index == stop {
          cache = StepCache(StepCaching(threshold: 0.3), solver: .unipc, state: try copied(cache.state))
          isCopied = true
        }
        let latents = Self.tensor(recorded.latents[index])
        let outputs = cache.outputs(at: step(index), latents: latents)
        if outputs == nil { cache.record(recorded.outputs[index].map(Self.tensor), at: step(index), latents: latents) }
        if isCopied { rest.append(outputs.map { $0.map { $0.floats() } }) }
      }
      #expect(rest == Array(kept[stop...]) && cache.state.facts == whole.state.facts)
    }
  }

  /// A state that went through a saved run's text and numbers.
  private func copied(_ state: StepCacheState) throws -> StepCacheState {
    let run = runState(state)
    let facts = try JSONDecoder().decode(RunState.Facts.self, from: JSONEncoder().encode(run.facts))
    let tensors = Dictionary(uniqueKeysWithValues: run.tensors.map { ($0.name, $0.tensor) })
    for name in tensors.keys where name.hasPrefix("cache.") {
      var fewer = tensors
      fewer[name] = nil
      #expect(throws: SamplingError.self, "without \(name)") { try RunState(facts, tensors: fewer) }
      fewer["cache.output7"] = tensors[name]
      #expect(throws: SamplingError.self, "\(name) renamed") { try RunState(facts, tensors: fewer) }
      #expect(throws: SamplingError.self) {
        try RunState(runState(nil).facts, tensors: tensors)
      }
    }
    return try #require(try RunState(facts, tensors: tensors).cache)
  }

  private func runState(_ cache: StepCacheState?) -> RunState {
    let facts = RunState.Facts(step: 3, solver: .unipc, seed: 1, noise: .cpu, draws: [60], cache: cache?.facts)
    let latents = Self.tensor(Recorded().latents[0])
    return RunState(facts, latents: latents, history: SolverState(index: 3, tensors: [:]), cache: cache)
  }

  @Test("facts of a run without a cache are those of before there was one")
  func plainFacts() throws {
    let text = #"{"draws":[60],"noise":"cpu","seed":1,"solver":"unipc","step":3}"#
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(String(decoding: try encoder.encode(runState(nil).facts), as: UTF8.self) == text)
    #expect(try JSONDecoder().decode(RunState.Facts.self, from: Data(text.utf8)).cache == nil)
  }

  @Test("are named, or numbers", arguments: ["balanced", "fast", "0.35", "0", "3"])
  func names(name: String) throws {
    let caching = try #require(StepCaching(name: name))
    #expect(StepCaching(name: caching.name) == caching)
    let data = try JSONEncoder().encode([caching])
    #expect(try JSONDecoder().decode([StepCaching].self, from: data) == [caching])
    for wrong in ["", "off", "slow", "nan", "inf", "0,3", "Balanced"] { #expect(StepCaching(name: wrong) == nil) }
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(StepCaching.self, from: Data(#""slow""#.utf8)) }
  }

  @Test("more is expected of a larger threshold, of more steps, and nothing across a change of the expert")
  func expectations() throws {
    func skips(_ caching: StepCaching, steps: Int, high: Int = 0) throws -> [Expert: Int] {
      let experts = (0..<steps).map { $0 < high ? Expert.high : .low }
      return caching.expectedSkips(
        sigmas: try Schedule(solver: .unipc, steps: steps, shift: 5).sigmas, experts: experts)
    }
    let (balanced, fast) = try (skips(.balanced, steps: 20), skips(.fast, steps: 20))
    #expect((8...12).contains(balanced[.low] ?? 0) && (fast[.low] ?? 0) > (balanced[.low] ?? 0))
    #expect(try (skips(.balanced, steps: 50)[.low] ?? 0) > 25)
    let all = try skips(StepCaching(threshold: 10), steps: 20, high: 9)
    #expect(all == [.high: 9 - 3, .low: 11 - 2 - 1])
    #expect(try skips(StepCaching(threshold: 0), steps: 20).isEmpty)
  }
}
