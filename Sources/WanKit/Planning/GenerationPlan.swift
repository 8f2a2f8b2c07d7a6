import Layers
public import Media
public import Sampling
public import Tensors
public import WanModels

/// A request with every choice made and checked: what will run, how long the sequences are, what memory it needs.
public struct GenerationPlan: Sendable {
  /// The folder that the weights will be read from.
  public let model: ModelFolder
  /// As given, at most 20 000 characters each, cleaned only when they are tokenised.
  public let prompt, negativePrompt: String
  /// The picture as it was given, not yet resized.
  public let image: RGBImage?
  /// Pixels, multiples of ``ModelFolder/sizeMultiple``; frames are 4 n + 1.
  public let width, height, frames: Int
  /// Of playback, 1 to 240.
  public let framesPerSecond: FrameRate
  /// The flow shift, above 0, that ``schedule`` was warped by.
  public let shift: Double
  /// Of each expert, finite.
  public let guidance: GuidanceScales
  /// Which sampler walks down ``schedule``.
  public let solver: SolverKind
  /// Noise levels and timesteps of 1 to 1000 steps.
  public let schedule: Schedule
  /// Of the noise; one seed and source draw the same noise on every machine.
  public let seed: UInt64
  /// Whose random numbers ``seed`` stands for.
  public let noise: NoiseSource
  /// What the products of the transformer, the autoencoder and the text encoder compute in.
  public let precision: Precision
  /// The expert of each step.
  public let experts: [Expert]
  /// The parts that frames are decoded in.
  public let decodingTiling: VAETiling

  /// Passes of the solver, 1...1000.
  public var steps: Int { schedule.timesteps.count }

  /// [C, T, h, w] of the latents that are denoised.
  public var latentShape: Shape {
    model.autoencoder.configuration.latentShape(frames: frames, height: height, width: width)
  }

  /// Tokens of one prompt's pass through the transformer.
  public var tokens: Int {
    TokenGrid(latents: latentShape).count
  }

  /// Steps per expert in order of running.
  public var stepsPerExpert: [(expert: Expert, steps: Int)] {
    var counts: [(expert: Expert, steps: Int)] = []
    for expert in experts {
      if counts.last?.expert == expert {
        counts[counts.count - 1].steps += 1
      } else {
        counts.append((expert, 1))
      }
    }
    return counts
  }
}

extension GenerationPlan {
  /// Fills in what the request leaves open and checks everything that a user can get wrong.
  ///
  /// - Throws: ``RequestError`` naming the option and what would be accepted.
  public init(_ request: GenerationRequest, model: ModelFolder) throws(RequestError) {
    let defaults = model.defaults
    self.model = model
    prompt = try Self.checked(request.prompt, option: "prompt")
    let negative = try Self.checked(request.negativePrompt ?? "", option: "negative-prompt")
    negativePrompt = negative.isEmpty ? PublishedPrompts.negative : negative
    image = try Self.checkedImage(request.image, family: model.family)
    frames = try Self.checkedFrames(
      request.frames ?? defaults.frames, stride: model.autoencoder.configuration.stride.time)
    framesPerSecond = request.framesPerSecond ?? defaults.framesPerSecond
    guard framesPerSecond.denominator > 0, (1...240).contains(framesPerSecond.value) else {
      throw .option("fps", "\(framesPerSecond) is not from 1 to 240")
    }
    (width, height) = try Self.size(request, image: image, model: model)
    guidance = try Self.checkedGuidance(request.guidance, family: model.family) ?? defaults.guidance
    guard guidance.low.isFinite, guidance.high.isFinite else { throw .option("guidance", "must be finite numbers") }
    shift = request.shift ?? defaults.shift
    solver = request.solver ?? defaults.solver
    schedule = try Self.schedule(solver, steps: request.steps ?? defaults.steps, shift: shift)
    experts = ExpertSchedule(boundary: model.family.boundary).experts(at: schedule.timesteps)
    seed = request.seed
    noise = request.noise
    precision = request.precision
    let autoencoder = model.autoencoder.configuration
    decodingTiling = try Self.tiling(
      request, autoencoder.latentShape(frames: frames, height: height, width: width), autoencoder)
  }

  private static let longestPrompt = 20_000

  private static func checked(_ text: String, option: String) throws(RequestError) -> String {
    let length = text.unicodeScalars.count
    guard length <= longestPrompt else {
      throw .option(option, "\(length) characters; at most \(longestPrompt) are taken, and models read 512 tokens")
    }
    guard !text.unicodeScalars.contains("\u{FFFD}") else {
      throw .option(option, "holds bytes that are not UTF-8; save or type the text as UTF-8")
    }
    return text
  }

  private static func checkedImage(_ image: RGBImage?, family: ModelFamily) throws(RequestError) -> RGBImage? {
    switch (family.conditioning, image) {
    case (.none, .some):
      throw .option("image", "\(family.name) makes clips from text alone; use an i2v or ti2v model")
    case (.channels, .none):
      throw .option("image", "\(family.name) needs an image to start from")
    default:
      return image
    }
  }

  private static func checkedGuidance(
    _ guidance: GuidanceScales?, family: ModelFamily
  ) throws(RequestError) -> GuidanceScales? {
    guard let guidance, !family.hasTwoExperts, guidance.low.isFinite, guidance.high.isFinite,
      guidance.low != guidance.high
    else {
      return guidance
    }
    throw .option(
      "guidance", "\(guidance.low),\(guidance.high) is for two experts, and \(family.name) is one transformer: give one"
    )
  }

  private static func checkedFrames(_ frames: Int, stride: Int) throws(RequestError) -> Int {
    let longest = stride * (largestGrid - 1) + 1
    guard frames >= 1, frames <= longest else {
      throw .option("frames", "\(frames) is not from 1 to \(longest)")
    }
    let (below, rest) = ((frames - 1) / stride * stride + 1, (frames - 1) % stride)
    guard rest == 0 else {
      throw .option("frames", "\(frames) is not \(stride) n + 1; the nearest are \(below) and \(below + stride)")
    }
    return frames
  }

  /// Positions that the published rotary table knows along each axis.
  private static let largestGrid = 1024

  private static func size(
    _ request: GenerationRequest, image: RGBImage?, model: ModelFolder
  ) throws(RequestError) -> (Int, Int) {
    let multiple = model.sizeMultiple
    let largest = multiple * largestGrid
    if let image, let area = request.area {
      guard (1...largest * largest).contains(area) else {
        throw .option("area", "\(area) is not from 1 to \(largest * largest) pixels")
      }
      return try imageSize(image, area: area, model: model)
    }
    let size = request.size ?? (model.defaults.width, model.defaults.height)
    guard (1...largest).contains(size.width), (1...largest).contains(size.height) else {
      throw .option("size", "\(size.width)x\(size.height) is not between 1x1 and \(largest)x\(largest)")
    }
    if let image { return try imageSize(image, area: size.width * size.height, model: model) }
    guard size.width % multiple == 0, size.height % multiple == 0 else {
      let nearest = [size.width, size.height].map { max(multiple, ($0 + multiple / 2) / multiple * multiple) }
      throw .option(
        "size",
        "\(size.width)x\(size.height) is not a multiple of \(multiple); the nearest is \(nearest[0])x\(nearest[1])")
    }
    return (size.width, size.height)
  }

  private static func imageSize(_ image: RGBImage, area: Int, model: ModelFolder) throws(RequestError) -> (Int, Int) {
    do {
      let multiple = model.sizeMultiple
      let size = try ImagePlacement.size(
        of: image, as: model.family.conditioning, maximumArea: area, multiple: multiple)
      if max(size.width, size.height) <= multiple * largestGrid { return (size.width, size.height) }
    } catch {
      throw .option("size", error.description)
    }
    throw .option(
      "size",
      "an image of \(image.width)x\(image.height) does not fit an area of \(area) pixels; ask for a smaller size")
  }

  private static func tiling(
    _ request: GenerationRequest, _ latents: Shape, _ autoencoder: VAEConfiguration
  ) throws(RequestError) -> VAETiling {
    guard let tiling = request.decodingTiling else {
      return VAETiling.chosen(for: autoencoder, latents: latents, precision: request.precision)
    }
    guard tiling.rows <= latents[2], tiling.columns <= latents[3] else {
      throw .option(
        "vae-tiles", "\(tiling) tiles do not fit; this size is cut into at most \(latents[2])x\(latents[3])")
    }
    return tiling
  }

  private static func schedule(_ solver: SolverKind, steps: Int, shift: Double) throws(RequestError) -> Schedule {
    guard (1...1000).contains(steps) else { throw .option("steps", "\(steps) is not from 1 to 1000") }
    guard shift.isFinite, shift > 0 else { throw .option("shift", "\(shift) is not a positive number") }
    do {
      return try Schedule(solver: solver, steps: steps, shift: shift)
    } catch {
      throw .schedule(error)
    }
  }
}

/// Prompts that the published code falls back to.
public enum PublishedPrompts {
  /// A negative prompt without words, which is another thing than no negative prompt: a space, which cleaning takes away.
  public static let none = " "

  /// What clips should not be, used whenever no negative prompt is given.
  public static let negative =
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，丑陋的，残缺的，"
    + "多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，"
    + "背景人很多，倒着走"
}
