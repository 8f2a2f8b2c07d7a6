import CPUBackend
import Media
import Sampling
import Synchronization
import Tensors
import TestSupport
import Testing
import WanKit

/// Short generations with the golden models.
enum SmallRuns {
  static func model(_ name: String) throws -> ModelFolder {
    try ModelFolder(path: Golden.bundledFolder + "/" + name)
  }

  /// 64x32 pixels, 5 frames, 3 steps, guided.
  static func request(_ precision: Precision = .f32, steps: Int = 3) -> GenerationRequest {
    var request = GenerationRequest(
      prompt: "A red ball bounces.", negativePrompt: "blurry", seed: 5, noise: .cpu, precision: precision)
    (request.size, request.frames, request.steps) = (FrameSize(width: 64, height: 32), 5, steps)
    return request
  }

  /// A picture of colours that run into each other.
  static let image = RGBImage(width: 64, height: 32, pixels: (0..<6144).map { (i: Int) -> UInt8 in UInt8(i * 7 / 170) })

  static func trace(
    _ model: ModelFolder, _ request: GenerationRequest = request(), backend: any Backend = CPUBackend(threads: 2)
  ) async throws -> GenerationTrace {
    let plan = try GenerationPlan(request, model: model, on: .reference)
    let trace = try await Engine(backend: backend).run(plan, keepTrace: true) { _ in }
    return try #require(trace)
  }
}

extension SmallRuns {
  /// A run whose events are recorded.
  static func recorded(_ plan: GenerationPlan, _ recorder: EventRecorder) async throws {
    try await Engine(backend: CPUBackend(threads: 2)).run(plan, onEvent: { recorder($0) }, frames: { _ in })
  }
}

extension GenerationTrace {
  /// Everything that a run computes, bit by bit.
  func bits() throws -> [UInt32] {
    let (latents, video) = (try #require(stackedLatents), try #require(video))
    return (latents.floats() + video.floats()).map(\.bitPattern)
  }
}

/// Events in the order in which they came.
final class EventRecorder: Sendable {
  private let recorded = Mutex<[GenerationEvent]>([])

  func callAsFunction(_ event: GenerationEvent) {
    recorded.withLock { $0.append(event) }
  }

  var events: [GenerationEvent] { recorded.withLock { $0 } }

  var notices: [String] {
    events.compactMap { if case .notice(let text) = $0 { text } else { nil } }
  }

  var steps: [StepProgress] {
    events.compactMap { if case .step(let progress) = $0 { progress } else { nil } }
  }

  /// "sampling", "step 1 only", "frames 1/5": the run as words.
  var summary: [String] {
    events.map {
      switch $0 {
      case .began(let stage): stage.rawValue
      case .ended(let stage, _): "end of \(stage.rawValue)"
      case .step(let progress): "step \(progress.step)/\(progress.steps) \(progress.expert.rawValue)"
      case .notice(let text): text
      case .frames(let done, let all): "frames \(done)/\(all)"
      case .tiles(let done, let all): "tiles \(done)/\(all)"
      }
    }
  }
}

extension BackendTraits {
  /// For plans that are looked at, or whose tiles are given.
  static let reference = ReferenceBackend().traits
}
