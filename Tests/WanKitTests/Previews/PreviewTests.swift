import CPUBackend
import Checkpoints
import Foundation
import Media
import Synchronization
import Tensors
import TestSupport
import Testing
import WanModels

@testable import WanKit

/// Pictures of a run's steps.
@Suite(.serialized)
struct PreviewTests {
  private static let folder = Golden.bundledFolder + "/../../Models/nano-ti2v"

  /// What an observer was given.
  private final class Seen: Sendable {
    private let kept = Mutex<[StepPreview]>([])
    private let clip = Mutex<[Float]>([])
    var previews: [StepPreview] { kept.withLock { $0 } }
    var frames: [Float] { clip.withLock { $0 } }

    func take(_ preview: StepPreview) { kept.withLock { $0.append(preview) } }

    func take(_ chunk: Tensor) { clip.withLock { $0 += chunk.floats() } }
  }

  private func previews(
    of request: GenerationRequest, model: ModelFolder, every interval: Int = 1, tiny: PreviewChoice.Tiny? = nil
  ) async throws -> (previews: [StepPreview], frames: [Float]) {
    let (backend, seen) = (CPUBackend(threads: 2), Seen())
    let plan = try GenerationPlan(request, model: model, on: .reference)
    let source = try PreviewChoice(model, tiny: tiny).source(on: backend)
    let observer = PreviewObserver(plan, by: source, every: interval) { seen.take($0) }
    try await Engine(backend: backend).run(plan, observers: [observer]) { seen.take($0) }
    return (seen.previews, seen.frames)
  }

  @Test("the last step's pictures are the clip's, seen from afar; the first one's are not")
  func resemble() async throws {
    let request = GenerationRequest(prompt: "A red ball bounces, sunset scene, warm tones, static camera.", seed: 0)
    let (previews, frames) = try await previews(of: request, model: ModelFolder(path: Self.folder))
    #expect(previews.count == 20 && previews.map(\.step) == Array(1...20))
    #expect(previews.allSatisfy { $0.pictures.count == 5 && $0.pictures[0].width == 8 && $0.frameRate.value == 3 })
    #expect(previews.map(\.isLast) == Array(repeating: false, count: 19) + [true])
    let clip = Self.boxes(frames, count: 17, side: 128)
    let decibels = previews.map { Self.decibels($0.pictures, clip) }
    #expect(decibels[19] > 32, "\(decibels)")
    #expect(decibels[0] < decibels[19] - 10 && decibels[10] > decibels[0], "\(decibels)")
  }

  @Test("a picture that is given is the first one of every step's")
  func firstFrame() async throws {
    let ffmpeg = try FFmpeg.locate(searchPath: ProcessInfo.processInfo.environment["PATH"])
    let image = try await readImage(path: Self.folder + "/first_frame.png", ffmpeg: ffmpeg)
    var request = GenerationRequest(prompt: "A green square moves from left to right.", image: image, seed: 3)
    (request.steps, request.frames) = (5, 5)
    let model = try ModelFolder(path: Self.folder)
    for profile in [Profile.wan, .diffusers] {
      request.profile = profile
      let (previews, frames) = try await previews(of: request, model: model)
      let clip = Array(Self.boxes(frames, count: 5, side: 128)[..<1])
      for preview in previews {
        #expect(preview.pictures[0] == previews[0].pictures[0])
        #expect(Self.decibels([preview.pictures[0]], clip) > 24, "step \(preview.step)")
      }
    }
  }

  /// The mean colours, in [-1, 1], of boxes of 16 pixels over the frames of each latent frame.
  private static func boxes(_ frames: [Float], count: Int, side: Int) -> [[Double]] {
    let boxes = side / 16
    return (0..<(count - 1) / 4 + 1).map { latent in
      let range = latent == 0 ? 0..<1 : 4 * latent - 3..<4 * latent + 1
      var sums = [Double](repeating: 0, count: boxes * boxes * 3)
      for frame in range {
        for i in 0..<side * side * 3 {
          let (y, x) = (i / 3 / side, i / 3 % side)
          sums[(y / 16 * boxes + x / 16) * 3 + i % 3] += Double(frames[frame * side * side * 3 + i])
        }
      }
      return sums.map { $0 / Double(256 * range.count) }
    }
  }

  /// Peak signal to noise.
  private static func decibels(_ pictures: [RGBImage], _ clip: [[Double]]) -> Double {
    let (bytes, wanted) = (pictures.flatMap(\.pixels), clip.flatMap { $0 })
    var sum = 0.0
    for (byte, value) in zip(bytes, wanted) {
      let difference = (Double(byte) + 0.5) / 127.5 - 1 - value
      sum += difference * difference
    }
    return 10 * log10(4 * Double(wanted.count) / sum)
  }

  @Test("every so manyth step has pictures, and the last one always", arguments: [(2, [2, 4, 5]), (5, [5]), (9, [5])])
  func intervals(interval: Int, steps: [Int]) async throws {
    let model = try SmallRuns.model("t2v")
    let (previews, _) = try await previews(of: SmallRuns.request(steps: 5), model: model, every: interval)
    #expect(previews.map(\.step) == steps && previews.allSatisfy { $0.steps == 5 })
    #expect(previews.allSatisfy { $0.pictures.count == 2 && $0.pictures[0].width == 8 && $0.pictures[0].height == 4 })
  }

  @Test("looking at a run changes nothing of it")
  func unchanged() async throws {
    let model = try ModelFolder(path: Self.folder)
    var request = GenerationRequest(prompt: "A red ball.", seed: 3)
    (request.steps, request.frames) = (4, 5)
    let plain = try await SmallRuns.trace(model, request).frames.flatMap { $0.floats() }
    #expect(try await previews(of: request, model: model).frames == plain)
  }

  @Test("the bundled model's file is what its VAE gives, and explains most of the colours")
  func bundledFit() async throws {
    let model = try ModelFolder(path: Self.folder)
    let fit = try PreviewFit(#require(model.autoencoder), on: CPUBackend(threads: 2))
    #expect(fit.explained > 0.97 && fit.residual < 0.1, "\(fit.explained) \(fit.residual)")
    let kept = try PreviewFile.colours(path: Self.folder + "/" + PreviewFile.name, channels: 48)
    for (one, other) in zip(fit.colours.factors + fit.colours.bias, kept.factors + kept.bias) {
      #expect(abs(one - other) < 2e-3)
    }
    #expect(try PreviewChoice(model).origin == .own)
    let published = try #require(LatentColours.published(channels: 48))
    #expect(kept != published)
  }

  @Test("a model's own colours come first, then the published ones; what does not fit is told and left out")
  func choice() throws {
    let copy = try ModelCopy(of: "ti2v")
    let published = try PreviewChoice(ModelFolder(path: copy.path))
    #expect(published.origin == .published && published.notices.count == 1)
    #expect(published.notices[0].contains("the colours of previews are those of the published VAE"))
    let row = "[1, 0.5, -1]"
    func file(_ rows: Int, bias: String = "[0, 0, 0]") -> String {
      "{\"factors\": [\(Array(repeating: row, count: rows).joined(separator: ","))], \"bias\": \(bias)}"
    }
    try copy.write(file(48), to: PreviewFile.name)
    let own = try PreviewChoice(ModelFolder(path: copy.path))
    #expect(own.origin == .own && own.notices.isEmpty)
    let refused = [
      (file(16), "it is for 16 latent channels, the model has 48"), ("{}", "'factors' and 'bias' are not both there"),
      (file(48, bias: "[1, 2]"), "'bias' must be 3 numbers"), (file(48, bias: "[0, 0, 1e9]"), "'bias' must be"),
      (file(48).replacing("-1]]", with: "true]]"), "'factors' must be 1 to 4096 rows of 3 numbers"),
      (file(48).replacing("[1, 0.5, -1],[", with: "[1, 0.5],["), "'factors' must be"), ("[", "is not a JSON object"),
      (file(200_000), "too many"), ("", "empty"),
    ]
    for (text, reason) in refused {
      try copy.write(text, to: PreviewFile.name)
      let choice = try PreviewChoice(ModelFolder(path: copy.path))
      #expect(choice.origin == .published && choice.notices.count == 2)
      #expect(choice.notices[0].contains(reason), "\(choice.notices)")
    }
  }

  @Test("a damaged file of colours is a notice, never an end")
  func fuzz() throws {
    let copy = try ModelCopy(of: "ti2v")
    let sound = Array(try Golden.data(Self.folder + "/" + PreviewFile.name))
    var random = SeededGenerator(seed: 5)
    var (own, other) = (0, 0)
    for _ in 0..<300 {
      try copy.write(
        Data(mutated(sound, telling: Array("{}[]\",:-.e9".utf8), using: &random)), to: PreviewFile.name)
      let choice = try PreviewChoice(ModelFolder(path: copy.path))
      if choice.origin == .own { own += 1 } else { other += 1 }
      #expect(choice.origin == .own || choice.notices[0].contains(PreviewFile.name))
    }
    #expect(own > 20 && other > 100)
  }

  @Test("a tiny autoencoder makes the pictures where one is named, found, or decodes")
  func tiny() async throws {
    let folder = try TemporaryFolder()
    let file = folder.path("taew2_2.safetensors")
    _ = try Conversion(.wan22, seed: 3, to: file).run(on: CPUBackend(threads: 1))
    let model = try ModelFolder(path: Golden.bundledFolder + "/ti2v", parts: PartPaths(searched: [folder.path]))
    #expect(try PreviewChoice(model).origin == .published)
    #expect(try PreviewChoice(model, tiny: .found).origin == .tiny)
    let (previews, _) = try await previews(of: SmallRuns.request(steps: 1), model: model, tiny: .file(file))
    // Two pixels to each of a latent frame of 4x2.
    #expect(previews[0].pictures.map { [$0.width, $0.height] } == [[8, 4], [8, 4]])
    #expect(Set(previews[0].pictures[0].pixels).count > 5)
    let decoding = try ModelFolder(path: Golden.bundledFolder + "/ti2v", parts: PartPaths(autoencoder: file))
    #expect(try PreviewChoice(decoding).origin == .tiny)
    let other = try ModelFolder(path: Golden.bundledFolder + "/t2v")
    let refusal = #expect(throws: ModelError.self) { try PreviewChoice(other, tiny: .file(file)) }
    #expect(refusal?.description.contains("is for 48 latent channels, the model has 16") == true)
    let none = #expect(throws: ModelError.self) { try PreviewChoice(other, tiny: .found) }
    #expect(none?.description.contains("taew2_1") == true)
    let vae = #expect(throws: ModelError.self) {
      try PreviewChoice(model, tiny: .file(Self.folder + "/" + ModelCopy.autoencoder))
    }
    #expect(vae != nil)
  }
}
