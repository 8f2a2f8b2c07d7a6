public import Media
public import Sampling

/// A published model: how its checkpoint is recognised and what it does when a request leaves things open.
///
/// Adding a model is a line in ``all``; the networks read their sizes off the tensors.
public struct ModelFamily: Sendable, Hashable {
  /// As users and `wan synthesize` write it: "ti2v-5b".
  public let name: String
  /// `model_type` in the transformer's config.json.
  public let modelType: String
  /// What starts a clip beside the prompt.
  public let conditioning: ConditioningKind
  /// Timestep / 1000 from which on the high-noise expert runs; `nil` for a single transformer.
  public let boundary: Double?
  /// VAE file names without extension, in order of preference.
  public let autoencoderNames: [String]
  /// The published sampling configuration; a folder's own generation_config.json goes before it.
  public let defaults: GenerationDefaults

  /// A model with a transformer for the first, noisy steps and one for the rest.
  public var hasTwoExperts: Bool { boundary != nil }
}

/// What a request takes when it does not say: the published configuration of a family, or a folder's own.
public struct GenerationDefaults: Sendable, Hashable {
  /// Pixels.
  public var width, height: Int
  /// Frames are 4 n + 1; steps are the solver's.
  public var frames, steps: Int
  /// Of playback.
  public var framesPerSecond: FrameRate
  /// The flow shift of the schedule, above 0.
  public var shift: Double
  /// Of each expert; a single transformer uses the low one.
  public var guidance: GuidanceScales
  /// Which sampler runs (`sample_solver`).
  public var solver: SolverKind
  /// What a folder's own generation_config.json says beyond that.
  public var own = Own()

  /// How a folder of a distilled model says that it is run.
  public struct Own: Sendable, Hashable {
    /// A recipe by name, and the file that names it.
    public var recipe: ChosenRecipe?
    /// Of each step, falling from at most 1000, not warped.
    public var timesteps: [Float]?
    /// How many steps the high-noise expert takes.
    public var switchStep: Int?
    /// Timestep / 1000 from which on the high-noise expert runs.
    public var boundary: Double?

    /// Says nothing.
    public init() {}
  }
}

/// The factor on the difference that the prompt makes, per expert.
public struct GuidanceScales: Sendable, Hashable, Codable {
  /// Of the low-noise expert or the single transformer, and of the high-noise one; 1 for both leaves out the negative
  /// prompt.
  public var low, high: Float

  /// One scale per expert (`sample_guide_scale`), the low-noise one first.
  public init(low: Float, high: Float) {
    (self.low, self.high) = (low, high)
  }

  /// The same scale for both experts.
  public init(_ both: Float) {
    self.init(low: both, high: both)
  }

  private enum CodingKeys: String, CodingKey { case low, high }

  /// From an object of both, or a number for both.
  public init(from decoder: any Decoder) throws {
    if let both = try? decoder.singleValueContainer().decode(Float.self) {
      self.init(both)
      return
    }
    let scales = try decoder.container(keyedBy: CodingKeys.self)
    self.init(low: try scales.decode(Float.self, forKey: .low), high: try scales.decode(Float.self, forKey: .high))
  }
}

extension ModelFamily {
  /// Wan2.2-T2V-A14B, as in the published `wan_t2v_A14B.py`.
  public static let t2vA14B = ModelFamily(
    name: "t2v-a14b", modelType: "t2v", conditioning: .none, boundary: 0.875, autoencoderNames: ["Wan2.1_VAE"],
    defaults: GenerationDefaults(
      width: 1280, height: 720, frames: 81, steps: 40, framesPerSecond: 16, shift: 12,
      guidance: GuidanceScales(low: 3, high: 4), solver: .unipc))

  /// Wan2.2-I2V-A14B, as in the published `wan_i2v_A14B.py`.
  public static let i2vA14B = ModelFamily(
    name: "i2v-a14b", modelType: "i2v", conditioning: .channels, boundary: 0.9, autoencoderNames: ["Wan2.1_VAE"],
    defaults: GenerationDefaults(
      width: 1280, height: 720, frames: 81, steps: 40, framesPerSecond: 16, shift: 5,
      guidance: GuidanceScales(3.5), solver: .unipc))

  /// Wan2.2-TI2V-5B, as in the published `wan_ti2v_5B.py`.
  public static let ti2v5B = ModelFamily(
    name: "ti2v-5b", modelType: "ti2v", conditioning: .firstFrame, boundary: nil, autoencoderNames: ["Wan2.2_VAE"],
    defaults: GenerationDefaults(
      width: 1280, height: 704, frames: 121, steps: 50, framesPerSecond: 24, shift: 5,
      guidance: GuidanceScales(5), solver: .unipc))

  /// Every family that a folder is recognised as, told apart by ``modelType``.
  public static let all = [t2vA14B, i2vA14B, ti2v5B]
}
