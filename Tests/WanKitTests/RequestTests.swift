import Foundation
import Layers
import Media
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit
import WanModels

/// A request that cannot be carried out, and what the error must say.
struct BadRequest: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let model: String
  let says: [String]
  let edit: @Sendable (inout GenerationRequest) -> Void

  init(
    _ what: String, model: String = "ti2v", says: [String], edit: @escaping @Sendable (inout GenerationRequest) -> Void
  ) {
    testDescription = what
    self.model = model
    self.says = says
    self.edit = edit
  }
}

struct RequestTests {
  private static func image(_ width: Int, _ height: Int) -> RGBImage {
    RGBImage(width: width, height: height, pixels: Array(repeating: 90, count: width * height * 3))
  }

  private static let numbers0: [BadRequest] =
    [(8, "5 and 9"), (2, "1 and 5"), (4092, "4089 and 4093"), (120, "117 and 121")].map {
      (frames: Int, nearest: String) -> BadRequest in
      BadRequest("\(frames) frames", says: ["frames: \(frames) is not 4 n + 1", "nearest are \(nearest)"]) {
        $0.frames = frames
      }
    }
  private static let numbers1: [BadRequest] =
    [0, -3, 5000, .max, .min].map { (frames: Int) -> BadRequest in
      BadRequest("\(frames) frames", says: ["frames: \(frames) is not from 1 to 4093"]) { $0.frames = frames }
    }
  private static let numbers2: [BadRequest] =
    [0, -1, 1001, 100_000, .max].map { (steps: Int) -> BadRequest in
      BadRequest("\(steps) steps", says: ["steps: \(steps) is not from 1 to 1000"]) { $0.steps = steps }
    }
  private static let numbers3: [BadRequest] =
    [0, -1, Double.nan, .infinity, -.infinity].map { (shift: Double) -> BadRequest in
      BadRequest("shift \(shift)", says: ["shift: \(shift) is not a positive number"]) { $0.shift = shift }
    }
  private static let numbers4: [BadRequest] =
    [1e-300, 1e300].map { (shift: Double) -> BadRequest in
      BadRequest("shift \(shift)", says: ["shift: \(shift) makes", "nearer 1 or fewer steps"]) { $0.shift = shift }
    }
  private static let numbers5: [BadRequest] =
    [Float.nan, .infinity].flatMap { (scale: Float) -> [BadRequest] in
      [GuidanceScales(low: scale, high: 1), GuidanceScales(low: 1, high: scale)].map {
        (scales: GuidanceScales) -> BadRequest in
        BadRequest("guidance \(scales)", says: ["guidance: must be finite"]) { $0.guidance = scales }
      }
    }
  private static let numbers6: [BadRequest] =
    [0, -1, 241].map { (rate: Int) -> BadRequest in
      BadRequest("\(rate) fps", says: ["fps: \(rate) is not from 1 to 240"]) { $0.framesPerSecond = FrameRate(rate) }
    }
  private static let numbers7 = [
    BadRequest("more tiles than rows", says: ["decodingTiles: 999x1 tiles do not fit"]) {
      $0.decodingTiling = VAETiling(rows: 999, columns: 1)
    }
  ]
  static let numbers: [BadRequest] =
    [numbers0, numbers1, numbers2, numbers3, numbers4, numbers5, numbers6, numbers7].flatMap { $0 }

  private static let sizes0: [BadRequest] =
    [(100, 64, "96x64"), (33, 63, "32x64"), (1, 1, "32x32"), (32_767, 32, "32768x32")].map {
      (width: Int, height: Int, nearest: String) -> BadRequest in
      BadRequest(
        "\(width)x\(height)", says: ["size: \(width)x\(height) is not a multiple of 32", "nearest is \(nearest)"]
      ) { $0.size = FrameSize(width: width, height: height) }
    }
  private static let sizes1: [BadRequest] =
    [(0, 64), (64, 0), (-32, 64), (1 << 20, 64), (.max, .max), (.min, 32)].map {
      (width: Int, height: Int) -> BadRequest in
      BadRequest("\(width)x\(height)", says: ["size: \(width)x\(height) is not between 1x1 and 32768x32768"]) {
        $0.size = FrameSize(width: width, height: height)
      }
    }
  private static let sizes2: [BadRequest] =
    [0, -1, .max, .min].map { (area: Int) -> BadRequest in
      BadRequest("an area of \(area)", says: ["area: \(area) is not from 1 to"]) {
        $0.image = image(64, 64)
        $0.area = area
      }
    }
  static let sizes: [BadRequest] = [sizes0, sizes1, sizes2].flatMap { $0 }

  static let pictures = [
    BadRequest("an image for text alone", model: "t2v", says: ["image: t2v-a14b", "from text alone", "i2v or ti2v"]) {
      $0.image = image(64, 64)
    },
    BadRequest("no image", model: "i2v", says: ["image: i2v-a14b needs an image"]) { $0.image = nil },
    BadRequest("an image of a line", says: ["size:", "1x10000", "crop the image"]) { $0.image = image(1, 10_000) },
    BadRequest("an image of a line", model: "i2v", says: ["size:", "10000x1", "crop the image"]) {
      $0.image = image(10_000, 1)
    },
    BadRequest("an area smaller than a token", says: ["size:", "64x64", "larger area"]) {
      $0.image = image(64, 64)
      $0.area = 100
    },
  ]

  static let texts = [
    BadRequest("100 000 characters", says: ["prompt: 100000 characters; at most 20000"]) {
      $0.prompt = String(repeating: "x", count: 100_000)
    },
    BadRequest("one character of 100 000 accents", says: ["prompt: 100001 characters; at most 20000"]) {
      $0.prompt = "e" + String(repeating: "\u{301}", count: 100_000)
    },
    BadRequest("bytes that are not UTF-8", says: ["prompt: holds bytes that are not UTF-8"]) {
      $0.prompt = String(decoding: [0x61, 0xFF, 0x62] as [UInt8], as: UTF8.self)
    },
    BadRequest("a long negative prompt", says: ["negativePrompt: 100000 characters"]) {
      $0.negativePrompt = String(repeating: "x", count: 100_000)
    },
  ]

  @Test("a request for", arguments: numbers + sizes + pictures + texts)
  func refused(bad: BadRequest) throws {
    let model = try ModelFolder(path: Golden.bundledFolder + "/" + bad.model)
    var request = GenerationRequest(prompt: "A red ball.")
    if bad.model == "i2v" { request.image = Self.image(64, 64) }
    bad.edit(&request)
    let error = try #require(throws: RequestError.self) {
      _ = try GenerationPlan(request, model: model, on: .reference)
    }
    for part in bad.says { #expect(error.description.contains(part), "\(error)") }
    #expect(error.description.utf8.count < 300)
  }

  @Test("what a request leaves open is the model's choice")
  func defaults() throws {
    let model = try ModelFolder(path: Golden.bundledFolder + "/t2v")
    let plan = try GenerationPlan(GenerationRequest(prompt: "x", negativePrompt: ""), model: model, on: .reference)
    #expect((plan.width, plan.height, plan.frames, plan.framesPerSecond) == (1280, 720, 81, 16))
    #expect(plan.steps == 40 && plan.shift == 12 && plan.solver == .unipc)
    #expect(plan.guidance == GuidanceScales(low: 3, high: 4))
    #expect(plan.negativePrompt == PublishedPrompts.negative)
    #expect(plan.latentShape == [16, 21, 90, 160])
    #expect(plan.tokens == 21 * 45 * 80)
    #expect(plan.stepsPerExpert.map(\.expert) == [.high, .low])
    #expect(plan.stepsPerExpert.reduce(0) { $0 + $1.steps } == 40)
    #expect(plan.memory(on: .reference).total > 0)
    #expect(plan.decodingTiling == .whole && plan.decodingMemory.total <= plan.memory(on: .reference).total)
  }

  @Test("a plan decodes in tiles where the frames are large, and as asked")
  func tiling() throws {
    let model = try ModelFolder(path: Golden.bundledFolder + "/ti2v")
    var request = GenerationRequest(prompt: "x")
    (request.size, request.frames) = (FrameSize(width: 64, height: 32), 5)
    #expect(try GenerationPlan(request, model: model, on: .reference).decodingTiling == .whole)
    request.decodingTiling = VAETiling(rows: 1, columns: 3)
    #expect(try GenerationPlan(request, model: model, on: .reference).decodingTiling == VAETiling(rows: 1, columns: 3))
    (request.size, request.frames, request.decodingTiling) = (FrameSize(width: 8192, height: 8192), 41, nil)
    let plan = try GenerationPlan(request, model: model, on: .reference)
    #expect(plan.decodingTiling.count > 1)
    #expect(plan.memory(on: .reference).total >= plan.decodingMemory.total)
  }

  @Test("a plan in int8 counts the blocks' matrices as bytes with a scale per row")
  func bytes() throws {
    let model = try ModelFolder(path: Golden.bundledFolder + "/ti2v")
    let part = model.transformers[.only]
    let blocks = part.source.names.filter { name in
      name.hasPrefix("blocks.") && name.hasSuffix(".weight") && part.source.descriptor(name)?.shape.rank == 2
    }
    let saved = try blocks.map { name in
      let matrix = try #require(part.source.descriptor(name))
      return try #require(matrix.byteCount) - matrix.shape.count - matrix.shape[0] * 4
    }
    #expect(!saved.isEmpty)
    #expect(part.byteCount(in: .bf16, on: .reference) == part.source.byteCount)
    #expect(part.byteCount(in: .int8, on: .reference) == part.source.byteCount - saved.reduce(0, +))
    let traits = RemoteBackend().traits
    #expect(part.byteCount(in: .int8, on: traits) == part.source.byteCount, "products of bytes are this backend's bf16")
  }

  @Test("the largest request is planned without overflow")
  func largest() throws {
    let model = try ModelFolder(path: Golden.bundledFolder + "/ti2v")
    var request = GenerationRequest(prompt: "")
    (request.size, request.frames, request.steps) = (FrameSize(width: 32_768, height: 32_768), 4093, 1000)
    let plan = try GenerationPlan(request, model: model, on: .reference)
    #expect(plan.tokens == 1024 * 1024 * 1024)
    #expect(plan.memory(on: .reference).total > 1 << 40)
  }

  @Test("an image decides the shape, the size only the area")
  func area() throws {
    let model = try ModelFolder(path: Golden.bundledFolder + "/ti2v")
    var request = GenerationRequest(prompt: "x", image: Self.image(200, 100))
    request.size = FrameSize(width: 128, height: 128)
    let plan = try GenerationPlan(request, model: model, on: .reference)
    #expect(plan.width > plan.height)
    #expect(plan.width * plan.height <= 128 * 128)
    #expect(plan.width % 32 == 0 && plan.height % 32 == 0)
  }
}
