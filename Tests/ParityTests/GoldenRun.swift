import CPUBackend
import Foundation
import Media
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit

/// A recorded generation: the request of its JSON and the tensors beside it.
struct GoldenRun: Decodable, Sendable, CustomTestStringConvertible {
  let task: String
  let prompt: String
  let negative_prompt: String
  let seed: UInt64
  let steps: Int
  let shift: Double
  let guidance: Scales
  let frames: Int
  let size: [Int]?
  let max_area: Int?
  let solver: SolverKind
  let prompt_ids: [Int32]
  let negative_ids: [Int32]
  let experts: [String]
  /// Whose rules it was recorded with.
  let like: Profile?
  /// Files in the place of the model's own, below `formats/`.
  let files: [String: String]?

  /// Of LoRAs, by expert; the recorded runs take any pair of the same change.
  let strength: [String: Float]?
  /// Which pair, in words.
  let lora: String?

  /// The LoRAs of the run.
  var adapters: [AdapterRequest] {
    let pair =
      lora?.contains("lightx2v") == true
      ? "lightx2v/Wan2.2-T2V-A14B-4steps-lora-rank4-Seko-V1.1/%@_noise_model" : "kohya/style_%@_noise"
    return (strength ?? [:]).sorted { $0.key < $1.key }.map { expert, strength in
      AdapterRequest(
        path: Golden.folder() + "/formats/lora/" + pair.replacing("%@", with: expert) + ".safetensors",
        strength: strength)
    }
  }

  /// Those files as a model takes them.
  var parts: PartPaths {
    func path(_ part: String) -> String? { files?[part].map { Golden.folder() + "/formats/" + $0 } }
    return PartPaths(highNoise: path("high"), lowNoise: path("low"), textEncoder: path("text_encoder"))
  }

  /// One number for all experts, or [low, high].
  enum Scales: Decodable, Sendable {
    case scales(GuidanceScales)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let both = try? container.decode(Float.self) {
        self = .scales(GuidanceScales(both))
      } else {
        let list = try container.decode([Float].self)
        self = .scales(GuidanceScales(low: list[0], high: list[1]))
      }
    }

    var value: GuidanceScales {
      switch self {
      case .scales(let value): value
      }
    }
  }

  var testDescription: String { "\(task) \(solver.rawValue) '\(prompt.prefix(24))'" }

  func request(image: RGBImage?, precision: Precision) throws -> GenerationRequest {
    var request = GenerationRequest(
      prompt: prompt, negativePrompt: negative_prompt, image: image, seed: seed, noise: .cpu, precision: precision)
    request.size = size.map { FrameSize(width: $0[0], height: $0[1]) }
    request.area = max_area
    request.frames = frames
    request.steps = steps
    request.shift = shift
    request.guidance = guidance.value
    request.solver = solver
    request.adapters = adapters
    request.profile = like
    return request
  }
}

/// The generations recorded below a folder, found by listing it.
struct RecordedRuns {
  /// Relative to the golden folder: "runs/t2v".
  static func paths(in folder: String) -> [String] {
    (try? Golden.names(in: folder, type: "json"))?.map { folder + "/" + $0 } ?? []
  }

  /// What runs of one model have in common: "t2v".
  static func task(of path: String) -> String {
    ((try? Golden.json(path + ".json", as: GoldenRun.self))?.task ?? path) + (path.hasPrefix("nano/") ? " bundled" : "")
  }

  /// The model folder that a run was recorded with.
  static func model(for run: GoldenRun, path: String) -> String {
    if run.like == .diffusers { return Golden.folder() + "/formats/diffusers/" + run.task }
    return path.hasPrefix("nano/") ? Golden.bundledFolder + "/../../Models/nano-ti2v" : Golden.folder() + "/" + run.task
  }

  /// Runs the recorded request again.
  static func rerun(
    _ path: String, precision: Precision, backend: any Backend = CPUBackend(threads: 2)
  ) async throws -> (
    run: GoldenRun, trace: GenerationTrace
  ) {
    let run = try Golden.json(path + ".json", as: GoldenRun.self)
    let picture = Golden.folder() + "/" + path + ".png"
    var image: RGBImage?
    if FileManager.default.fileExists(atPath: picture) {
      let ffmpeg = try FFmpeg.locate(searchPath: ProcessInfo.processInfo.environment["PATH"])
      image = try await readImage(path: picture, ffmpeg: ffmpeg)
    }
    let folder = try ModelFolder(path: model(for: run, path: path), parts: run.parts)
    let plan = try GenerationPlan(run.request(image: image, precision: precision), model: folder, on: backend.traits)
    let engine = Engine(backend: backend)
    let trace = try await engine.run(plan, keepTrace: true) { _ in }
    return (run, try #require(trace))
  }
}
