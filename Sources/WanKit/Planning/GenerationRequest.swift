public import Media
public import Prompts
public import Sampling
public import Tensors
public import WanModels

/// What a user asks for; `nil` leaves a choice to the model folder's defaults.
public struct GenerationRequest: Sendable, Equatable {
  /// UTF-8 text of at most 20 000 characters; models read the first 512 tokens.
  public var prompt: String
  /// What a language model has made of the prompt, which then takes its place.
  public var extendedPrompt: ExtendedPrompt?
  /// How the clip is to be lit, framed and coloured, in words that the plan puts to the prompt.
  public var cinematography = Cinematography()
  /// What the clip should not be; `nil` or empty means the model's published negative prompt, and
  /// ``PublishedPrompts/none`` no words at all.
  public var negativePrompt: String?
  /// The picture to start from, for models that take one.
  public var image: RGBImage?
  /// The picture to end with, for models that take one; beside ``image`` or alone.
  public var lastImage: RGBImage?
  /// The end of another clip, which this one goes on from, instead of one picture: 4 n + 1 frames of one size. They count
  /// as frames of the clip, and are left out of what comes of it.
  public var leadingFrames: [RGBImage]
  /// A clip to make anew, a frame for each frame of this one, at its rate; with ``strength``.
  public var video: [RGBImage]
  /// The noise level that a clip made of ``video`` begins at, between 0 and 1: more leaves less of it. Like diffusers the
  /// part of the steps that are taken.
  public var strength: Double?
  /// Pixels; with an image an area, whose shape the image decides.
  public var size: FrameSize?
  /// Pixels of a clip that starts from an image, instead of `size`.
  public var area: Int?
  /// 4 n + 1.
  public var frames: Int?
  /// Of playback, 1...240; the number of frames does not follow it.
  public var framesPerSecond: FrameRate?
  /// Of the solver, 1...1000.
  public var steps: Int?
  /// How many of them the high-noise expert takes; by the boundary, or the model's recipe, unless given.
  public var switchStep: Int?
  /// Where the experts change instead of the model's own place: a noise level from 0 to 1, from which upwards the
  /// high-noise expert runs.
  public var boundary: Double?
  /// What the model is told before each step, falling from at most 1000; warped only by a shift that is given.
  public var timesteps: [Float]?
  /// The noise level before each step, falling from at most 1, instead of timesteps: the same list in thousandths.
  public var sigmas: [Float]?
  /// The flow shift, above 0; larger values spend more steps on noisy latents.
  public var shift: Double?
  /// Per expert, finite; with 1 for both the negative prompt is left out.
  public var guidance: GuidanceScales?
  /// The steps, counted from 1, in which the negative prompt has a say: all unless given. The others take the time of one
  /// prompt.
  public var guidedSteps: ClosedRange<Int>?
  /// Which sampler walks from noise to the clip.
  public var solver: SolverKind?
  /// Of the noise; any number, 0 unless given.
  public var seed: UInt64
  /// Whose random numbers ``seed`` stands for: those of a CUDA card unless given.
  public var noise: NoiseSource
  /// What products compute in; bfloat16 unless given.
  public var precision: Precision
  /// LoRAs, all of which are applied.
  public var adapters: [AdapterRequest]
  /// Whose rules the request follows; the published code's unless given.
  public var profile: Profile?
  /// The ``Recipe`` of a distilled model by its name, or ``ChosenRecipe/none``; told by the files' names unless given.
  public var preset: String?
  /// Whether steps may do without the transformer, and how many; none unless given.
  public var caching: StepCaching?
  /// The parts that frames are decoded in; chosen by what memory they need unless given. The clip stays the same.
  public var decodingTiling: VAETiling?

  /// A request that leaves everything but these to the model; nothing is checked before a plan is made of it.
  public init(
    prompt: String, negativePrompt: String? = nil, image: RGBImage? = nil, seed: UInt64 = 0,
    noise: NoiseSource = .cuda(), precision: Precision = .bf16
  ) {
    self.prompt = prompt
    self.negativePrompt = negativePrompt
    self.image = image
    self.seed = seed
    self.noise = noise
    self.precision = precision
    (adapters, leadingFrames, video) = ([], [], [])
  }
}

/// Whose rules a request's numbers follow where programs differ: one seed, the same clip as there.
public enum Profile: String, Sendable, Hashable, Codable, CaseIterable {
  /// The published code.
  case wan
  /// diffusers' pipelines (`pipeline_wan.py` and `pipeline_wan_i2v.py`, 0.35 and later): UniPC on another grid, the shift
  /// of the folder's scheduler, no words for an empty negative prompt, guidance only above 1, pictures stretched to the
  /// size that is asked for, and a known first frame that is put into the transformer's input alone.
  case diffusers

  /// What a negative prompt without words stands for.
  var emptyNegativePrompt: String { self == .diffusers ? PublishedPrompts.none : PublishedPrompts.negative }

  /// Whether the negative prompt has a say at all.
  func isGuided(_ guidance: GuidanceScales) -> Bool {
    self == .diffusers ? guidance.high > 1 : guidance.low != 1 || guidance.high != 1
  }
}

/// Columns and rows of a clip, in pixels; written "832x480".
public struct FrameSize: Sendable, Hashable, CustomStringConvertible {
  /// Columns and rows; nothing is checked before a plan is made.
  public let width, height: Int

  /// A size as it was asked for.
  public init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
  }

  public var description: String { "\(width)x\(height)" }
}

extension RGBImage {
  /// Columns and rows.
  var size: FrameSize { FrameSize(width: width, height: height) }
}

extension ModelFolder {
  /// The size of the clip that a request with a picture, or a video, of some size makes.
  ///
  /// - Throws: ``RequestError`` where there is none.
  public func size(of request: GenerationRequest, picture: FrameSize) throws(RequestError) -> FrameSize {
    let (width, height) = try GenerationPlan.size(request, picture: picture, model: self)
    return FrameSize(width: width, height: height)
  }
}

/// Why a request cannot be carried out; says which field and what would do.
public enum RequestError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The field and what is wrong with its value.
  case field(RequestField, _ reason: String)
  /// Steps and shift that make no schedule together.
  case schedule(SamplingError)

  public var description: String {
    switch self {
    case .field(let field, let reason): "\(field.rawValue): \(reason)"
    case .schedule(let error): error.description
    }
  }
}
