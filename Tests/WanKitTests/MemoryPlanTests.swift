import CPUBackend
import Media
import Tensors
import TestSupport
import Testing
import WanModels

@testable import WanKit

struct MemoryPlanTests {
  private let traits = BackendTraits(memory: .host, precisions: [.f32, .bf16, .int8], usesWeightsInPlace: true)

  private func plan(_ model: String, memory: MachineMemory.Limit?) throws -> GenerationPlan {
    try GenerationPlan(SmallRuns.request(steps: 4), model: SmallRuns.model(model), on: traits, memory: memory)
  }

  /// The least that a plan can be asked to do with.
  private func least(_ model: String) throws -> Int {
    let plan = try plan(model, memory: .init(1, .asked))
    return try #require(#expect(throws: MemoryShortage.self) { try plan.memoryPlan(on: traits) }).needed
  }

  @Test("without a limit, and with plenty, all stays")
  func plenty() throws {
    for limit in [nil, MachineMemory.Limit(1 << 40, .asked), .init(1 << 40, .free)] {
      let memory = try plan("t2v", memory: limit).memoryPlan(on: traits)
      #expect(memory.transformer == nil && memory.textEncoder == nil && memory.limit == limit)
    }
  }

  @Test("less than the least is refused where it was asked for, and made do with where it is what is free")
  func shortage() throws {
    let needed = try least("ti2v")
    for bytes in [1, needed / 2] {
      let error = #expect(throws: MemoryShortage.self) {
        try plan("ti2v", memory: .init(bytes, .asked)).memoryPlan(on: traits)
      }
      #expect(error?.description.contains("it was given") == true)
      let free = try plan("ti2v", memory: .init(bytes, .free)).memoryPlan(on: traits)
      #expect(free.peakBytes >= needed / 2)
    }
  }

  @Test("a device's memory is nothing that blocks are streamed into")
  func device() throws {
    let device = BackendTraits(memory: .device(byteCount: 1 << 30), precisions: [.bf16], usesWeightsInPlace: false)
    let memory = try plan("t2v", memory: .init(1, .asked)).memoryPlan(on: device)
    #expect(memory.transformer == nil && memory.textEncoder == nil)
  }

  /// Bits of the latents, and pixels: those of a tiled clip wait in fewer bits than the tensors of a whole one have.
  @Test(
    "a run within whatever is free gives the same clip as one with all in memory", arguments: ["t2v", "ti2v", "i2v"])
  func sameBits(model: String) async throws {
    for precision in [Precision.f32, .bf16, .int8] {
      var request = SmallRuns.request(precision, steps: 2)
      if model == "i2v" { request.image = SmallRuns.image }
      let traces = try await [nil, MachineMemory.Limit(1, .free)].asyncMap { limit in
        let plan = try GenerationPlan(request, model: SmallRuns.model(model), on: traits, memory: limit)
        // Two blocks are the least that are in memory, so that a model of two streams where another follows it.
        let streams = limit != nil && model != "ti2v"
        #expect((try plan.memoryPlan(on: traits).transformer != nil) == streams)
        let trace = try await Engine(backend: CPUBackend(threads: 2)).run(plan, keepTrace: true) { _ in }
        let latents = try #require(trace?.stackedLatents).floats().map(\.bitPattern)
        return (latents, try #require(trace).frames.flatMap(RGBImage.frames).map(\.pixels))
      }
      let same = traces[0].0 == traces[1].0 && traces[0].1 == traces[1].1
      #expect(same, "\(precision)")
    }
  }
}

extension Sequence {
  fileprivate func asyncMap<R>(_ transform: (Element) async throws -> R) async rethrows -> [R] {
    var results: [R] = []
    for element in self { results.append(try await transform(element)) }
    return results
  }
}
