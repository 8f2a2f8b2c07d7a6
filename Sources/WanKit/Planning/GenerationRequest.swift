public import Media
public import Sampling
public import Tensors
public import WanModels

/// What a user asks for; `nil` leaves a choice to the model folder's defaults.
public struct GenerationRequest: Sendable {
  /// UTF-8 text of at most 20 000 characters; models read the first 512 tokens.
  public var prompt: String
  /// What the clip should not be; `nil` or empty means the model's published negative prompt, and
  /// ``PublishedPrompts/none`` no words at all.
  public var negativePrompt: String?
  /// The picture to start from, for models that take one.
  public var image: RGBImage?
  /// Pixels; with an image an area, whose shape the image decides.
  public var size: (width: Int, height: Int)?
  /// Pixels of a clip that starts from an image, instead of `size`.
  public var area: Int?
  /// 4 n + 1.
  public var frames: Int?
  /// Of playback, 1...240; the number of frames does not follow it.
  public var framesPerSecond: FrameRate?
  /// Of the solver, 1...1000.
  public var steps: Int?
  /// The flow shift, above 0; larger values spend more steps on noisy latents.
  public var shift: Double?
  /// Per expert, finite; with 1 for both the negative prompt is left out.
  public var guidance: GuidanceScales?
  /// Which sampler walks from noise to the clip.
  public var solver: SolverKind?
  /// Of the noise; any number, 0 unless given.
  public var seed: UInt64
  /// Whose random numbers ``seed`` stands for: those of a CUDA card unless given.
  public var noise: NoiseSource
  /// What products compute in; bfloat16 unless given.
  public var precision: Precision
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
  }
}

/// Why a request cannot be carried out; says which option and what would do.
public enum RequestError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The option by its name on the command line, without dashes, and what is wrong with its value.
  case option(_ name: String, _ reason: String)
  /// Steps and shift that make no schedule together.
  case schedule(SamplingError)

  public var description: String {
    switch self {
    case .option(let name, let reason): "\(name): \(reason)"
    case .schedule(let error): error.description
    }
  }
}
