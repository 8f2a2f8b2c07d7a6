import CPUBackend
import Layers
import Media
import Sampling
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
    return (latents, try decoded(latents, model))
  }

  private func decoded(_ latents: Tensor, _ model: ModelFolder) throws -> [Float] {
    let autoencoder = try #require(model.autoencoder)
    let decoder = try autoencoder.decoder.load(on: backend, precision: .f32)
    var decoding = DecodedFrames(decoder.decoding(latents, tiling: .whole), on: backend)
    var frames: [Float] = []
    while let chunk = try decoding.next(onPart: { _, _ in }) { frames += chunk.floats() }
    return frames
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
    let (channels, area) = (latents.shape[0], latents.shape[2] * latents.shape[3])
    let known = still.floats()
    var values = latents.floats()
    let picture = try coded([first], model).latents.floats()
    for channel in 0..<channels {
      for i in 0..<area {
        values[(channel * 4 + 3) * area + i] = known[(channel * 2 + 1) * area + i]
        if hasFirst { values[channel * 4 * area + i] = picture[channel * area + i] }
      }
    }
    #expect(try decoded(Tensor(values, shape: latents.shape), model) == trace.frames.flatMap { $0.floats() })
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

/// Runs that begin with a video.
struct VideoStartTests {
  private let backend = CPUBackend(threads: 2)
  private let video = (0..<13).map { frame in
    RGBImage(width: 64, height: 32, pixels: SmallRuns.image.pixels.map { $0 &+ UInt8(frame * 6) })
  }

  private func request(_ strength: Double?, solver: SolverKind = .euler) -> GenerationRequest {
    var request = SmallRuns.request(steps: 8)
    (request.frames, request.video, request.strength, request.solver) = (nil, video, strength, solver)
    return request
  }

  @Test("the steps below the strength are taken, from exactly that noise level", arguments: SolverKind.allCases)
  func schedule(solver: SolverKind) throws {
    let whole = try Schedule(solver: solver, steps: 8, shift: 5)
    for strength in [0.999, 0.8, Double(whole.sigmas[3]), 0.5, 0.01] {
      let plan = try GenerationPlan(request(strength, solver: solver), model: SmallRuns.model("ti2v"), on: .reference)
      #expect(plan.frames == 13 && plan.schedule.sigmas[0] == min(Float(strength), whole.sigmas[0]))
      let below = whole.sigmas.filter { $0 < Float(strength) }
      #expect(Array(plan.schedule.sigmas.dropFirst()) == below)
      #expect(plan.steps + plan.skippedSteps == 8 && ClipDescription(plan).steps == 8)
      #expect(plan.schedule.timesteps.count == plan.steps && plan.experts.count == plan.steps)
    }
  }

  @Test("a list of steps is told whole, whatever the video leaves out of it")
  func listed() throws {
    var request = request(0.6)
    (request.steps, request.sigmas) = (nil, [1, 0.8, 0.5, 0.2])
    let plan = try GenerationPlan(request, model: SmallRuns.model("ti2v"), on: .reference)
    #expect(plan.schedule.sigmas == [0.6, 0.5, 0.2, 0] && plan.skippedSteps == 1)
    #expect(ClipDescription(plan).sigmas == [1, 0.8, 0.5, 0.2] && ClipDescription(plan).steps == 4)
  }

  @Test("like diffusers the strength is a part of the steps")
  func diffusers() throws {
    var request = request(0.6, solver: .unipc)
    request.profile = .diffusers
    let plan = try GenerationPlan(request, model: SmallRuns.model("ti2v"), on: .reference)
    let whole = try Schedule(diffusersSteps: 8, shift: plan.shift)
    #expect(plan.steps == 4 && plan.schedule.sigmas == Array(whole.sigmas.suffix(5)))
    #expect(plan.schedule.timesteps == Array(whole.timesteps.suffix(4)))
    request.strength = 0.1
    #expect(throws: RequestError.self) { try GenerationPlan(request, model: SmallRuns.model("ti2v"), on: .reference) }
  }

  @Test("a run begins with so much of the video as the noise level leaves", arguments: ["ti2v", "t2v", "i2v"])
  func start(name: String) async throws {
    let model = try SmallRuns.model(name)
    var request = request(0.4)
    request.guidance = GuidanceScales(1)
    (request.steps, request.timesteps) = (nil, [900, 700])
    let plan = try GenerationPlan(request, model: model, on: .reference)
    #expect(plan.schedule.sigmas == [0.4, 0] && plan.skippedSteps == 1)
    let trace = try #require(
      try await Engine(backend: backend).run(plan, keepTrace: true) { _ in })
    let (noise, context) = (try #require(trace.noise), try #require(trace.context))
    let encoder = try model.imageEncoder().load(on: backend, precision: .f32)
    let z = try encoder(KnownPictures.frames(video, { $0.planar() }, height: 32, width: 64))
    let x = Tensor(zip(z.floats(), noise.floats()).map { 0.6 * $0 + 0.4 * $1 }, shape: z.shape)
    guard name != "i2v" else { return #expect(plan.knownPictures?.leading == [video[0]]) }
    let expert = plan.experts[0]
    let transformer = try model.transformers[expert].load(on: backend, precision: .f32)
    let grid = TokenGrid(latents: z.shape)
    let velocity = try transformer(
      x, timesteps: TokenTimesteps(400, tokens: grid.count),
      rotary: RotaryTable(headDimension: transformer.configuration.headDimension, grid: grid, on: backend),
      context: transformer.context([context]))[0]
    let expected = zip(x.floats(), velocity.floats()).map { $0 - 0.4 * $1 }
    #expect(relativeError(try #require(trace.latents.last).floats(), expected) < 1e-5)
  }

  @Test("little strength leaves the video nearly as the autoencoder has it, much makes it another")
  func amount() async throws {
    let model = try SmallRuns.model("ti2v")
    let encoder = try model.imageEncoder().load(on: backend, precision: .f32)
    let z = try encoder(KnownPictures.frames(video, { $0.planar() }, height: 32, width: 64))
    var distances: [Double] = []
    for strength in [0.02, 0.3, 0.95] {
      let plan = try GenerationPlan(request(strength), model: model, on: .reference)
      let trace = try #require(try await Engine(backend: backend).run(plan, keepTrace: true) { _ in })
      distances.append(relativeError(try #require(trace.latents.last), z))
    }
    #expect(distances[0] < 0.2 && distances == distances.sorted() && distances[2] > 2 * distances[0])
  }

  @Test("strengths and videos that cannot be are refused by name")
  func refusals() throws {
    func refusal(_ change: (inout GenerationRequest) -> Void) throws -> RequestField? {
      var request = request(0.5)
      change(&request)
      do { _ = try GenerationPlan(request, model: SmallRuns.model("ti2v"), on: .reference) } catch let error
        as RequestError
      {
        if case .field(let field, _) = error { return field }
      }
      return nil
    }
    for strength in [0, 1, -0.5, 2, .nan, .infinity] {
      #expect(try refusal { $0.strength = strength } == .strength, "\(strength)")
    }
    #expect(try refusal { $0.strength = nil } == .strength)
    #expect(try refusal { $0.video = [] } == .strength)
    #expect(try refusal { $0.frames = 17 } == .video)
    #expect(try refusal { $0.frames = 12 } == .frames)
    #expect(try refusal { $0.frames = 9 } == nil)
    #expect(try refusal { ($0.steps, $0.timesteps) = (nil, [300]) } == .strength)
    #expect(try refusal { $0.leadingFrames = video.suffix(5) } == .video)
    #expect(
      try refusal { $0.video[3] = RGBImage(width: 1, height: 1, pixels: [0, 0, 0]) } == .video)
  }
}

/// Counts frames as they come.
private final class Counter: Sendable {
  private let value = Mutex(0)
  var count: Int { value.withLock { $0 } }
  func add(_ more: Int) { value.withLock { $0 += more } }
}
