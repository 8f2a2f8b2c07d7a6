import CPUBackend
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit

struct DeterminismTests {
  @Test(
    "the same request gives the same bytes, run twice and on 1 and 2 threads", arguments: ["ti2v", "t2v"],
    Precision.allCases)
  func sameBytes(name: String, precision: Precision) async throws {
    let model = try SmallRuns.model(name)
    var request = SmallRuns.request(precision, steps: name == "t2v" ? 4 : 2)
    if name == "ti2v" { request.image = SmallRuns.image }
    let two = CPUBackend(threads: 2)
    let first = try await SmallRuns.trace(model, request, backend: two).bits()
    let again = try await SmallRuns.trace(model, request, backend: two).bits()
    let single = try await SmallRuns.trace(model, request, backend: CPUBackend(threads: 1)).bits()
    #expect(first == again)
    #expect(first == single)
  }

  @Test("another seed, prompt or solver gives another clip")
  func others() async throws {
    let model = try SmallRuns.model("ti2v")
    let base = try await SmallRuns.trace(model).bits()
    let edits: [(inout GenerationRequest) -> Void] = [
      { $0.seed = 6 }, { $0.prompt = "A blue square." }, { $0.negativePrompt = "red" }, { $0.solver = .euler },
      { $0.shift = 3 }, { $0.guidance = GuidanceScales(2) },
    ]
    for edit in edits {
      var request = SmallRuns.request()
      edit(&request)
      #expect(try await SmallRuns.trace(model, request).bits() != base)
    }
  }

  @Test("the reference backend gives the processor's clip")
  func reference() async throws {
    let model = try SmallRuns.model("t2v")
    var request = SmallRuns.request(steps: 1)
    request.size = FrameSize(width: 16, height: 16)
    request.frames = 1
    let cpu = try await SmallRuns.trace(model, request)
    let reference = try await SmallRuns.trace(model, request, backend: ReferenceBackend())
    #expect(relativeError(try #require(cpu.video), try #require(reference.video)) < 1e-4)
  }
}
