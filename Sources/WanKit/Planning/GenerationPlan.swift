public import Layers
public import Media
public import Prompts
public import Sampling
public import Tensors
public import WanModels

/// A request with every choice made and checked: what will run, how long the sequences are, what memory it needs.
public struct GenerationPlan: Sendable {
  /// The folder that the weights will be read from.
  public let model: ModelFolder
  /// As given, at most 20 000 characters; the prompt perhaps written out, and with words of cinematography.
  public let prompt, negativePrompt: String
  /// The prompt as it was given.
  public let userPrompt: String
  /// What a language model made of it; `nil` where none was asked.
  public let extendedPrompt: ExtendedPrompt?
  /// How ``prompt`` came of the one or the other; `nil` where nothing was put to it.
  public let directedPrompt: DirectedPrompt?
  /// What the text encoder will read of them.
  public let tokenIDs: PromptTokens
  /// The pictures that the clip begins and ends with, as they were given, not yet resized.
  public internal(set) var image, lastImage: RGBImage?
  /// The end of another clip, which this one goes on from: none, or 4 n + 1 frames.
  public internal(set) var leadingFrames: [RGBImage]
  /// The clip that the run begins with instead of noise alone: none, or as many frames as the plan has.
  public internal(set) var video: [RGBImage]
  /// Steps of the request that come before the noise level at which ``video`` enters, and are left out.
  public let skippedSteps: Int
  /// The noise level, or like diffusers the part of the steps, that was asked for; `nil` without a video.
  public let strength: Double?
  /// Pixels, multiples of ``ModelFolder/sizeMultiple``; frames are 4 n + 1.
  public let width, height, frames: Int
  /// Of playback, 1 to 240.
  public let framesPerSecond: FrameRate
  /// The flow shift, above 0, that ``schedule`` was warped by.
  public let shift: Double
  /// Of each expert, finite.
  public let guidance: GuidanceScales
  /// The steps, counted from 1, in which the negative prompt has a say; `nil` for all.
  public let guidedSteps: ClosedRange<Int>?
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
  /// Whose rules the run follows.
  public let profile: Profile
  /// How a distilled model is run; `nil` for others.
  public let recipe: ChosenRecipe?
  /// How many steps the high-noise expert takes where that was asked for, or is the recipe's; `nil` by the boundary.
  public let switchStep: Int?
  /// Where the experts change, where it was asked for; `nil` at the model's own place.
  public let boundary: Double?
  /// How steps do without the transformer; `nil` where every step runs it.
  public let caching: StepCaching?
  /// The steps with those that ``video`` leaves out.
  let wholeSchedule: Schedule
  /// Whether the steps are a list of their own, which a number of steps and a shift do not tell.
  let hasListedSteps: Bool
  /// Whether that list was one of noise levels.
  let hasListedSigmas: Bool
  /// What a distilled model cannot use of what was asked for, and what a tiny autoencoder may not fit.
  public let warnings: [String]
  /// The LoRAs that were asked for, and the other halves of pairs that lie beside them.
  public let adapters: [AdapterRequest]
  /// The LoRAs, opened and fitted to the transformers.
  let fittedAdapters: FittedAdapters
  /// The parts that frames are decoded in; a tiny autoencoder decodes them whole.
  public let decodingTiling: VAETiling
  /// What the process may take, and who says so; `nil` where nobody does. It changes nothing of the result.
  public let memoryLimit: MachineMemory.Limit?
  /// What encodes the pictures; `nil` without any.
  public let imageEncoder: NetworkPart<VAEEncoder>?
  /// Prompts that were encoded before, with those of other plans; a run encodes those that are not among them.
  public var encodedPrompts: EncodedPrompts?

  /// The pictures that are known; `nil` where none is.
  var knownPictures: KnownPictures? {
    // A model that needs a picture has that of the video.
    let first = image ?? (model.family.conditioning == .channels && lastImage == nil ? video.first : nil)
    return KnownPictures(leading: leadingFrames.isEmpty ? first.map { [$0] } ?? [] : leadingFrames, last: lastImage)
  }

  /// The frames that a clip of this plan has: all but those of the clip that it goes on from.
  public var newFrames: Int { frames - leadingFrames.count }

  /// Passes of the solver, 1...1000.
  public var steps: Int { schedule.timesteps.count }

  /// [C, T, h, w] of the latents that are denoised.
  public var latentShape: Shape {
    model.latents.shape(frames: frames, height: height, width: width)
  }

  /// The tokens of one prompt's pass through the transformer.
  public var grid: TokenGrid { TokenGrid(latents: latentShape) }

  /// How many there are.
  public var tokens: Int { grid.count }

  /// Whether the negative prompt has a say: guidance other than 1 for some expert.
  public var isGuided: Bool { profile.isGuided(guidance) }

  /// Whether it has one in a step, counted from 1.
  public func isGuided(step: Int) -> Bool { isGuided && guidedSteps?.contains(step) ?? true }

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
  /// Reads the tokenizer, and cuts the prompts into tokens.
  ///
  /// - Parameters:
  ///   - traits: of the backend that will carry the plan out.
  ///   - limit: what the process may take; what does not fit is streamed (``memoryPlan(on:)``).
  /// - Throws: ``RequestError`` naming the field and what would be accepted; ``ModelError`` and `TokenizerError` of a
  ///   tokenizer that cannot be read or does not fit the text encoder; `CancellationError` when the task is cancelled.
  public init(
    _ request: GenerationRequest, model: ModelFolder, on traits: BackendTraits,
    memory limit: MachineMemory.Limit? = nil
  ) throws {
    memoryLimit = limit
    profile = request.profile ?? .wan
    recipe = try ChosenRecipe(request, model: model)
    let defaults = model.defaults.following(recipe?.recipe, published: model.family.defaults)
    self.model = model
    userPrompt = try Self.checked(request.prompt, .prompt)
    extendedPrompt = request.extendedPrompt
    let written = try extendedPrompt.map { try Self.checked($0.text, .extendedPrompt) } ?? userPrompt
    directedPrompt = try Self.directed(written, request, by: model.vocabulary)
    prompt = directedPrompt?.text ?? written
    let negative = try Self.checked(request.negativePrompt ?? "", .negativePrompt)
    negativePrompt = negative.isEmpty ? profile.emptyNegativePrompt : negative
    let pictures = try Self.checkedPictures(request, family: model.family)
    (image, lastImage, leadingFrames) = (request.image, request.lastImage, request.leadingFrames)
    video = try Self.checkedVideo(request, defaults: defaults, stride: model.latents.time)
    strength = request.strength
    let count = video.isEmpty ? request.frames ?? defaults.frames : video.count
    frames = try Self.checkedFrames(count, stride: model.latents.time)
    framesPerSecond = request.framesPerSecond ?? defaults.framesPerSecond
    guard framesPerSecond.denominator > 0, (1...240).contains(framesPerSecond.value) else {
      throw RequestError.field(.fps, "\(framesPerSecond) is not from 1 to 240")
    }
    try Self.check(pictures, frames: frames, stride: model.latents.time)
    (width, height) = try Self.size(request, picture: (pictures?.first ?? video.first)?.size, model: model)
    guidance = try Self.checkedGuidance(request.guidance, family: model.family) ?? defaults.guidance
    guard guidance.low.isFinite, guidance.high.isFinite else {
      throw RequestError.field(.guidance, "must be finite numbers")
    }
    let chosen = try ChosenSchedule(request, model: model, defaults: defaults, recipe: recipe?.recipe)
    (schedule, shift, solver, experts) = (chosen.schedule, chosen.shift, chosen.solver, chosen.experts)
    (wholeSchedule, hasListedSteps, hasListedSigmas) = (chosen.whole, chosen.isListed, chosen.hasListedSigmas)
    (switchStep, boundary, skippedSteps) = (chosen.switchStep, chosen.boundary, chosen.skipped)
    guidedSteps = try Self.checkedGuidedSteps(
      request.guidedSteps, steps: schedule.steps, isGuided: profile.isGuided(guidance))
    caching = try Self.checkedCaching(request.caching, steps: schedule.steps)
    warnings =
      (directedPrompt?.notices ?? [])
      + (recipe?.warnings(steps: schedule.steps, guidance: guidance, shift: request.shift) ?? [])
      + (request.caching != nil && caching == nil ? [Self.tooFewToCache(schedule.steps)] : [])
      + model.tinyDecoderNotices
    adapters = FittedAdapters.paired(request.adapters, for: model.transformers)
    fittedAdapters = try FittedAdapters(adapters, for: model.transformers)
    seed = request.seed
    noise = request.noise
    precision = request.precision
    decodingTiling = try Self.tiling(
      request, model.latents.shape(frames: frames, height: height, width: width), model.decoder, traits,
      within: limit)
    imageEncoder = pictures == nil && video.isEmpty ? nil : try model.imageEncoder()
    let isGuided = profile.isGuided(guidance)
    tokenIDs = try PromptTokens(prompt: prompt, negative: isGuided ? negativePrompt : nil, model: model)
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
