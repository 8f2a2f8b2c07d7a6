import CPUBackend
import Layers
import Media
import Synchronization
import Tensors
import TestSupport
import Testing
import WanModels

@testable import WanKit

/// Runs whose beginning or end is known.
struct KnownFramesTests {
  private let backend = CPUBackend(threads: 2)

  /// Frames of 64x32 pixels, each of other colours.
  private func pictures(_ count: Int) -> [RGBImage] {
    (0..<count).map { frame in
      RGBImage(width: 64, height: 32, pixels: SmallRuns.image.pixels.map { $0 &+ UInt8(frame * 6) })
    }
  }

  private func request(_ change: (inout GenerationRequest) -> Void) -> GenerationRequest {
    var request = SmallRuns.request()
    request.frames = 13
    change(&request)
    return request
  }

  /// What the autoencoder makes of pictures alone: their latents, and the frames that come of them.
  private func coded(_ pictures: [RGBImage], _ model: ModelFolder) throws -> (latents: Tensor, frames: [Float]) {
    let encoder = try model.imageEncoder().load(on: backend, precision: .f32)
    let video = KnownPictures.frames(pictures, { $0.planar() }, height: 32, width: 64)
    let latents = try encoder(video)
    let autoencoder = try #require(model.autoencoder)
    let decoder = try autoencoder.decoder.load(on: backend, precision: .f32)
    var decoding = DecodedFrames(decoder.decoding(latents, tiling: .whole), on: backend)
    var frames: [Float] = []
    while let chunk = try decoding.next(onPart: { _, _ in }) { frames += chunk.floats() }
    return (latents, frames)
  }

  @Test("TI2V goes on from frames as the autoencoder has them, and leaves them out of what it tells")
  func continued() async throws {
    let model = try SmallRuns.model("ti2v")
    let known = pictures(5)
    let plan = try GenerationPlan(request { $0.leadingFrames = known }, model: model, on: .reference)
    #expect(plan.newFrames == 8 && ClipDescription(plan).knownFrames == 5)
    let told = Counter()
    let trace = try await Engine(backend: backend).run(plan, keepTrace: true) { told.add($0.shape[0]) }
    let expected = try coded(known, model)
    let frames = try #require(trace).frames.flatMap { $0.floats() }
    #expect(told.count == 8 && frames.count == 13 * 64 * 32 * 3)
    #expect(Array(frames.prefix(expected.frames.count)) == expected.frames)
    #expect(Array(frames.dropFirst(expected.frames.count).prefix(100)) != Array(expected.frames.prefix(100)))
  }

  @Test(
    "TI2V ends with a picture as the autoencoder has it, beside one to start from and alone", arguments: [true, false])
  func ended(hasFirst: Bool) async throws {
    let model = try SmallRuns.model("ti2v")
    let (first, last) = (pictures(3)[2], SmallRuns.image)
    let trace = try await SmallRuns.trace(
      model,
      request {
        if hasFirst { $0.image = first }
        $0.lastImage = last
      })
    let still = try coded(Array(repeating: last, count: 5), model).latents
    let latents = try #require(trace.latents.last)
    // The trace has the solver's own latents; what is decoded has the known frames in their places.
    #expect(latents.shape[1] == 4 && still.shape[1] == 2)
    let one = try coded([first], model).frames
    #expect((trace.frames[0].floats() == one) == hasFirst)
    let other = try await SmallRuns.trace(
      model,
      request {
        if hasFirst { $0.image = first }
      })
    #expect(other.frames.last?.floats() != trace.frames.last?.floats())
  }

  @Test("I2V takes frames to go on from, a last picture, or both", arguments: [1, 5], [true, false])
  func channels(leading: Int, hasLast: Bool) async throws {
    let model = try SmallRuns.model("i2v")
    let whole = request {
      $0.leadingFrames = leading > 1 ? pictures(leading) : []
      $0.image = leading == 1 ? SmallRuns.image : nil
      $0.lastImage = hasLast ? pictures(9)[8] : nil
    }
    let trace = try await SmallRuns.trace(model, whole)
    var plain = whole
    (plain.leadingFrames, plain.image, plain.lastImage) = ([], SmallRuns.image, nil)
    let isPlain = leading == 1 && !hasLast
    #expect((try await SmallRuns.trace(model, plain).bits() == trace.bits()) == isPlain)
  }

  @Test("pictures that leave nothing to be made, or contradict each other, are refused by name")
  func refusals() throws {
    func refusal(_ name: String, _ change: (inout GenerationRequest) -> Void) throws -> RequestField? {
      do {
        _ = try GenerationPlan(request(change), model: SmallRuns.model(name), on: .reference)
      } catch let error as RequestError {
        if case .field(let field, _) = error { return field }
      }
      return nil
    }
    let image = SmallRuns.image
    #expect(try refusal("t2v") { $0.lastImage = image } == .lastImage)
    #expect(try refusal("t2v") { $0.leadingFrames = pictures(5) } == .leadingFrames)
    #expect(try refusal("i2v") { _ in } == .image)
    #expect(try refusal("i2v") { $0.lastImage = image } == nil)
    for count in [2, 3, 4, 13, 17] {
      #expect(try refusal("ti2v") { $0.leadingFrames = pictures(count) } == .leadingFrames, "\(count)")
    }
    #expect(try refusal("ti2v") { ($0.image, $0.leadingFrames) = (image, pictures(5)) } == .leadingFrames)
    #expect(
      try refusal("ti2v") {
        $0.leadingFrames = pictures(4) + [RGBImage(width: 32, height: 32, pixels: Array(repeating: 0, count: 3072))]
      } == .leadingFrames)
    #expect(try refusal("ti2v") { ($0.lastImage, $0.frames) = (image, 1) } == .lastImage)
    #expect(try refusal("ti2v") { ($0.image, $0.lastImage, $0.frames) = (image, image, 5) } == .lastImage)
    #expect(try refusal("ti2v") { ($0.image, $0.lastImage, $0.frames) = (image, image, 9) } == nil)
    #expect(try refusal("ti2v") { ($0.leadingFrames, $0.lastImage) = (pictures(9), image) } == .lastImage)
  }
}

/// Counts frames as they come.
private final class Counter: Sendable {
  private let value = Mutex(0)
  var count: Int { value.withLock { $0 } }
  func add(_ more: Int) { value.withLock { $0 += more } }
}
