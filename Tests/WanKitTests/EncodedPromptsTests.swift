import CPUBackend
import Foundation
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit

struct EncodedPromptsTests {
  private let texts = ["A red ball bounces.", "A blue star.", "A red ball bounces."]

  private func plans(_ precisions: [Precision] = [.f32]) throws -> [GenerationPlan] {
    let model = try SmallRuns.model("ti2v").keepingTokenizer()
    return try precisions.flatMap { precision in
      try texts.enumerated().map { index, text in
        var request = SmallRuns.request(precision, steps: 2)
        (request.prompt, request.seed) = (text, UInt64(index))
        return try GenerationPlan(request, model: model, on: .reference)
      }
    }
  }

  private func loads(_ recorder: EventRecorder) -> [GenerationStage] {
    recorder.events.compactMap { event in
      if case .began(let stage) = event, stage.rawValue.hasPrefix("loading") { stage } else { nil }
    }
  }

  @Test("prompts encoded together give every clip the bits that it has alone", arguments: [0, 1 << 40])
  func equal(budget: Int) async throws {
    let plans = try plans([.f32, .bf16])
    let (engine, recorder) = (Engine(backend: CPUBackend(threads: 2), budget: budget), EventRecorder())
    let prompts = try await engine.encode(plans.map(\.prompts), onEvent: { recorder($0) })
    // Two texts and the negative one, in each precision.
    #expect(prompts.count == 6)
    #expect(loads(recorder) == [.loadingTextEncoder, .loadingTextEncoder])
    #expect(await engine.loaded == [])
    for plan in plans {
      var ready = plan
      ready.encodedPrompts = prompts
      let trace = try #require(
        try await engine.run(ready, keepTrace: true, onEvent: { recorder($0) }, frames: { _ in }))
      let alone = try #require(
        try await Engine(backend: CPUBackend(threads: 2)).run(plan, keepTrace: true) { _ in })
      #expect(try trace.bits() == alone.bits())
      #expect(trace.context?.floats() == alone.context?.floats())
      #expect(trace.contextNull?.floats() == alone.contextNull?.floats())
    }
    #expect(loads(recorder).count { $0 == .loadingTextEncoder } == 2)
    // Transformer and decoder once for each precision, or once for each clip.
    #expect(loads(recorder).count == 2 + (budget == 0 ? 12 : 4))
  }

  @Test("a prompt that is not among them is encoded with its clip")
  func missing() async throws {
    let plans = try plans()
    let (engine, recorder) = (Engine(backend: CPUBackend(threads: 2)), EventRecorder())
    var other = plans[1]
    other.encodedPrompts = try await engine.encode([plans[0].prompts])
    let trace = try #require(try await engine.run(other, keepTrace: true, onEvent: { recorder($0) }, frames: { _ in }))
    #expect(loads(recorder).first == .loadingTextEncoder)
    let alone = try #require(try await engine.run(plans[1], keepTrace: true) { _ in })
    #expect(try trace.bits() == alone.bits())
  }

  @Test("a JSON object changes the fields that it names, and no others")
  func change() throws {
    struct Line: DecodableWithConfiguration {
      let request: GenerationRequest
      init(from decoder: any Decoder, configuration: GenerationRequest) throws {
        var request = configuration
        try request.change(by: decoder, without: [.prompt])
        self.request = request
      }
    }
    let before = SmallRuns.request()
    let text = #"{"prompt": "other", "steps": 7, "size": "96x64", "frames": null, "seed": 18446744073709551615}"#
    let after = try JSONDecoder().decode(Line.self, from: Data(text.utf8), configuration: before).request
    var expected = before
    (expected.steps, expected.size, expected.frames) = (7, FrameSize(width: 96, height: 64), nil)
    expected.seed = .max
    #expect(after == expected)
  }
}
