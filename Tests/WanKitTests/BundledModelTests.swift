import CPUBackend
import Foundation
import Media
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

/// The model that comes with the project, run as its users run it.
@Suite(.serialized)
struct BundledModelTests {
  private struct Recorded: Decodable {
    let prompt: String
    let seed: UInt64
  }

  private static let folder = Golden.bundledFolder + "/../../Models/nano-ti2v"

  @Test(
    "a bf16 clip is within 40 dB of its float32 twin, an int8 clip within 27", arguments: ["nano_text", "nano_image"])
  func precision(name: String) async throws {
    let model = try ModelFolder(path: Self.folder)
    let recording = Golden.bundledFolder + "/nano/" + name
    let recorded = try JSONDecoder().decode(Recorded.self, from: Golden.data(recording + ".json"))
    var image: RGBImage?
    if FileManager.default.fileExists(atPath: recording + ".png") {
      let ffmpeg = try FFmpeg.locate(searchPath: ProcessInfo.processInfo.environment["PATH"])
      image = try await readImage(path: recording + ".png", ffmpeg: ffmpeg)
    }
    var clips: [[Float]] = []
    for precision in Precision.allCases {
      let request = GenerationRequest(
        prompt: recorded.prompt, image: image, seed: recorded.seed, precision: precision)
      clips.append(try #require(try await SmallRuns.trace(model, request).video).floats())
    }
    for (clip, least) in [(1, 40.0), (2, 27)] {
      let squares = zip(clips[0], clips[clip]).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
      let noise = 10 * log10(4 * Double(clips[0].count) / squares)  // dB against a peak of 2
      #expect(noise >= least, "\(Precision.allCases[clip]): \(noise) dB")
    }
  }

  @Test("a clip decoded in tiles is the clip decoded whole", arguments: Precision.allCases)
  func tiles(precision: Precision) async throws {
    let model = try ModelFolder(path: Self.folder)
    var clips: [[Float]] = []
    for tiling in [VAETiling.whole, VAETiling(rows: 2, columns: 2)] {
      var request = GenerationRequest(prompt: "A red circle.", seed: 7, precision: precision)
      (request.steps, request.frames, request.decodingTiling) = (2, 9, tiling)
      clips.append(try #require(try await SmallRuns.trace(model, request).video).floats())
    }
    let squares = zip(clips[0], clips[1]).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    let noise = 10 * log10(4 * Double(clips[0].count) / squares)
    #expect(noise >= 95, "\(noise) dB")
  }

  @Test("its folder says what a clip is made with")
  func defaults() throws {
    let model = try ModelFolder(path: Self.folder)
    #expect(model.family == .ti2v5B)
    let plan = try GenerationPlan(GenerationRequest(prompt: "A red circle."), model: model, on: .reference)
    #expect(plan.width == model.defaults.width && plan.frames == model.defaults.frames)
    #expect(model.defaults != ModelFamily.ti2v5B.defaults)
  }
}
