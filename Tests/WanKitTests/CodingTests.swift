import Foundation
import Media
import Prompts
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

/// What is told in JSON comes back from it.
struct CodingTests {
  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private func expectReturns<Value: Codable & Equatable>(_ value: Value) throws {
    #expect(try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value)) == value)
  }

  private var full: GenerationRequest {
    var request = GenerationRequest(
      prompt: "A red ball", negativePrompt: "blur", image: SmallRuns.image, seed: .max,
      noise: .cuda(multiprocessors: 46, threadsPerMultiprocessor: 1536), precision: .int8)
    request.extendedPrompt = ExtendedPrompt("A red ball bounces over hills.", by: "llama-3")
    request.cinematography = [.lightSource: "moonlight", .shot: "a model's own"]
    (request.size, request.area, request.frames) = (FrameSize(width: 832, height: 480), 1 << 18, 81)
    (request.framesPerSecond, request.steps, request.shift) = (FrameRate(24_000, over: 1001), 50, 5.5)
    (request.guidance, request.solver) = (GuidanceScales(low: 3, high: 4), .dpmpp)
    (request.lastImage, request.leadingFrames) = (SmallRuns.image, [SmallRuns.image, SmallRuns.image])
    (request.video, request.strength) = ([SmallRuns.image], 0.6)
    (request.timesteps, request.switchStep) = ([999, 512.5], 1)
    (request.sigmas, request.boundary, request.guidedSteps) = ([0.9, 0.25], 0.75, 2...7)
    request.decodingTiling = VAETiling(rows: 2, columns: 3)
    (request.preset, request.profile) = ("lightx2v", .diffusers)
    request.caching = .fast
    request.adapters = [AdapterRequest(path: "a.safetensors", strength: 0.5, expert: .high)]
    return request
  }

  @Test("a request comes back whole, full or empty")
  func requests() throws {
    try expectReturns(full)
    try expectReturns(GenerationRequest(prompt: ""))
  }

  @Test("a request's JSON has the names that errors have")
  func names() throws {
    let object = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(full)) as? [String: Any])
    #expect(Set(object.keys) == Set(RequestField.allCases.map(\.rawValue)))
    #expect(object["size"] as? String == "832x480" && object["fps"] as? String == "24000/1001")
    #expect(object["decodingTiles"] as? String == "2x3" && object["solver"] as? String == "dpm++")
  }

  @Test("of a request's JSON only the prompt must be there")
  func short() throws {
    let request = try JSONDecoder().decode(GenerationRequest.self, from: Data(#"{"prompt": "x", "fps": 24}"#.utf8))
    #expect(request.prompt == "x" && request.seed == 0 && request.noise == .cuda() && request.precision == .bf16)
    #expect(request.framesPerSecond == 24 && request.size == nil)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(GenerationRequest.self, from: Data("{}".utf8)) }
  }

  @Test(
    "JSON that is no request is an error, never a trap",
    arguments: [
      #"{"prompt": 1}"#, #"{"prompt": "x", "size": "832"}"#, #"{"prompt": "x", "size": "axb"}"#,
      #"{"prompt": "x", "decodingTiles": "0x1"}"#, #"{"prompt": "x", "noise": "dice"}"#,
      #"{"prompt": "x", "noise": {"multiprocessors": 0, "threads": -1}}"#, #"{"prompt": "x", "seed": -1}"#,
      #"{"prompt": "x", "image": {"width": 4, "height": 4, "pixels": "AAAA"}}"#,
      #"{"prompt": "x", "image": {"width": 4611686018427387904, "height": 4, "pixels": ""}}"#,
      #"{"prompt": "x", "image": {"width": -1, "height": -1, "pixels": "AAAA"}}"#, #"{"prompt": "x", "solver": "no"}"#,
    ])
  func damaged(text: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(GenerationRequest.self, from: Data(text.utf8))
    }
  }

  static let told: [(event: GenerationEvent, json: String)] = [
    (.began(.loadingTransformer), #"{"event":"stage","stage":"loadingTransformer"}"#),
    (.ended(.sampling, seconds: 1.5), #"{"event":"stageEnd","seconds":1.5,"stage":"sampling"}"#),
    (.frames(done: 1, of: 5), #"{"event":"frames","frames":1,"of":5}"#),
    (.tiles(done: 2, of: 4), #"{"event":"tiles","of":4,"tiles":2}"#),
    (.notice("so"), #"{"event":"notice","notice":"so"}"#),
  ]

  @Test("an event is one flat object, and comes back", arguments: told)
  func events(event: GenerationEvent, json text: String) throws {
    #expect(try json(event) == text)
    try expectReturns(event)
  }

  @Test("the steps and stages of a run come back from their JSON")
  func run() async throws {
    let recorder = EventRecorder()
    let plan = try GenerationPlan(SmallRuns.request(steps: 1), model: SmallRuns.model("ti2v"), on: .reference)
    _ = try await SmallRuns.recorded(plan, recorder)
    #expect(recorder.events.count > 5)
    for event in recorder.events { try expectReturns(event) }
  }

  @Test("a plan's summary comes back, its choices beside what it takes")
  func summary() throws {
    let plan = try GenerationPlan(SmallRuns.request(steps: 4), model: SmallRuns.model("t2v"), on: .reference)
    let summary = PlanSummary(plan, on: .reference)
    try expectReturns(summary)
    try expectReturns(summary.clip)
    let object = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(summary)) as? [String: Any])
    #expect(object["size"] as? String == "64x32" && object["tokens"] as? Int == plan.tokens)
    #expect(object["prompt"] as? String == "A red ball bounces.")
    #expect(summary.experts.map(\.steps).reduce(0, +) == 4)
  }
}
