import Media
public import Prompts
public import Sampling
public import Tensors
import WanModels

/// What a clip is made by: a plan's choices, as a clip's metadata, a report and a saved run tell them.
public struct ClipDescription: Sendable, Hashable, Codable {
  /// The family's name: "ti2v-5b".
  public let model: String
  /// What the text encoder reads.
  public let prompt, negativePrompt: String
  /// The prompt as it was given, where the text encoder reads another.
  public let userPrompt: String?
  /// What a language model made of it; `nil` where none was asked.
  public let extendedPrompt: ExtendedPrompt?
  /// The choices whose words were put to the prompt; `nil` for none.
  public let cinematography: Cinematography?
  /// Columns x rows, in pixels.
  public let size: FrameSize
  /// Frames, and steps of the solver.
  public let frames, steps: Int
  /// Of playback.
  public let fps: Double
  /// By their names in a request.
  public let solver: SolverKind
  /// What products compute in.
  public let precision: Precision
  /// The flow shift.
  public let shift: Double
  /// What the model is told before each step, where a number of steps and a shift do not tell it.
  public let timesteps: [Float]?
  /// The noise level before each step, where that was what was asked for.
  public let sigmas: [Float]?
  /// How many steps the high-noise expert takes, where no boundary tells it.
  public let switchStep: Int?
  /// Where the experts change, where that is not the model's own place.
  public let boundary: Double?
  /// Of each expert; one transformer takes the low one.
  public let guidanceLow, guidanceHigh: Float
  /// The steps, counted from 1, in which the negative prompt has a say; `nil` for all.
  public let guidedSteps: ClosedRange<Int>?
  /// Of the noise.
  public let seed: UInt64
  /// "cpu", or "cuda" with the card's multiprocessors and threads.
  public let noise: String
  /// Whose rules the run follows, where they are not the published code's.
  public let like: Profile?
  /// How a distilled model is run, and why; `nil` for others.
  public let recipe: ChosenRecipe?
  /// The LoRAs; `nil` for none.
  public let adapters: [AdapterRequest]?
  /// How steps did without the transformer; `nil` where every step ran it.
  public let cache: StepCaching?
  /// Whether a picture was given to start from.
  public let fromImage: Bool
  /// Whether a picture was given to end with; `nil` for no.
  public let toImage: Bool?
  /// How many of the frames another clip ended with, which are left out of this one; `nil` for none.
  public let knownFrames: Int?
  /// How strongly a video that was given was made anew; `nil` without one.
  public let strength: Double?
  /// What decoded the latents where it was not the VAE.
  public let decoder: Decoder?

  /// What decodes in the VAE's place.
  public enum Decoder: String, Sendable, Hashable, Codable {
    /// A tiny autoencoder, whose pictures are nearly the VAE's.
    case tiny
  }

  /// The choices of a plan.
  public init(_ plan: GenerationPlan) {
    model = plan.model.family.name
    (prompt, negativePrompt) = (plan.prompt, plan.negativePrompt)
    userPrompt = plan.directedPrompt == nil && plan.extendedPrompt == nil ? nil : plan.userPrompt
    extendedPrompt = plan.extendedPrompt
    cinematography = plan.directedPrompt?.cinematography
    size = FrameSize(width: plan.width, height: plan.height)
    (frames, steps, fps) = (plan.frames, plan.skippedSteps + plan.steps, plan.framesPerSecond.value)
    strength = plan.strength
    (solver, precision, shift) = (plan.solver, plan.precision, plan.shift)
    timesteps = plan.hasListedSteps ? plan.wholeSchedule.timesteps : nil
    sigmas = plan.hasListedSigmas ? plan.wholeSchedule.sigmas.dropLast() : nil
    (switchStep, boundary, guidedSteps) = (plan.switchStep, plan.boundary, plan.guidedSteps)
    (guidanceLow, guidanceHigh, seed) = (plan.guidance.low, plan.guidance.high, plan.seed)
    cache = plan.caching
    fromImage = plan.image != nil
    toImage = plan.lastImage == nil ? nil : true
    knownFrames = plan.leadingFrames.isEmpty ? nil : plan.leadingFrames.count
    decoder = plan.model.decoder.isTiny ? .tiny : nil
    like = plan.profile == .wan ? nil : plan.profile
    recipe = plan.recipe
    adapters = plan.adapters.isEmpty ? nil : plan.adapters
    noise =
      switch plan.noise {
      case .cpu: "cpu"
      case .cuda(let multiprocessors, let threads): "cuda \(multiprocessors)x\(threads)"
      }
  }
}

/// A plan in facts: what the clip is made by, and what making it takes.
public struct PlanSummary: Sendable, Hashable {
  /// The choices; in JSON its keys stand beside the others.
  public let clip: ClipDescription
  /// Of one prompt's pass through the transformer.
  public let tokens: Int
  /// In order of running.
  public let experts: [ExpertSteps]
  /// Steps that are expected to be skipped, about, and bytes of what is kept for that; `nil` without ``ClipDescription/cache``.
  public let expectedSkips, cacheBytes: Int?
  /// Bytes at the peak, those of its weights, and those of decoding alone.
  public let memoryBytes, weightBytes, decodingMemoryBytes: Int
  /// What the process may take; `nil` where nobody says.
  public let memoryLimitBytes: Int?
  /// How the transformer, or each expert, and the text encoder are read where they do not fit; `nil` where they do.
  public let transformerStreaming, textEncoderStreaming: MemoryPlan.Streaming?
  /// Rows x columns that frames are decoded in.
  public let decodingTiles: String

  /// How many steps an expert runs in a row, and the timestep of the first.
  public struct ExpertSteps: Sendable, Hashable, Codable {
    /// The transformer that runs.
    public let expert: Expert
    /// In a row.
    public let steps: Int
    /// Of the first of them, 0...1000.
    public let firstTimestep: Float
  }

  /// The facts of a plan.
  ///
  /// - Parameter traits: of the backend that will carry the plan out.
  public init(_ plan: GenerationPlan, on traits: BackendTraits) {
    clip = ClipDescription(plan)
    tokens = plan.tokens
    var next = 0
    experts = plan.stepsPerExpert.map { expert, steps in
      defer { next += steps }
      return ExpertSteps(expert: expert, steps: steps, firstTimestep: plan.schedule.timesteps[next])
    }
    expectedSkips = plan.caching == nil ? nil : plan.expectedSkips.reduce(0) { $0 + $1.skipped }
    cacheBytes = plan.caching == nil ? nil : plan.cacheBytes
    let memory = plan.memory(on: traits)
    let residency = try? plan.memoryPlan(on: traits)
    let streams = residency?.transformer != nil || residency?.textEncoder != nil
    memoryBytes = streams ? residency?.peakBytes ?? memory.total : memory.total
    weightBytes = memory.weights
    memoryLimitBytes = plan.memoryLimit?.byteCount
    (transformerStreaming, textEncoderStreaming) = (residency?.transformer, residency?.textEncoder)
    (decodingMemoryBytes, decodingTiles) = (plan.decodingMemory.total, plan.decodingTiling.description)
  }
}

extension PlanSummary: Codable {
  private enum CodingKeys: String, CodingKey {
    case tokens, experts, memoryBytes, weightBytes, decodingMemoryBytes, decodingTiles
    case memoryLimitBytes, transformerStreaming, textEncoderStreaming, expectedSkips, cacheBytes
  }

  public init(from decoder: any Decoder) throws {
    let facts = try decoder.container(keyedBy: CodingKeys.self)
    clip = try ClipDescription(from: decoder)
    tokens = try facts.decode(Int.self, forKey: .tokens)
    experts = try facts.decode([ExpertSteps].self, forKey: .experts)
    expectedSkips = try facts.decodeIfPresent(Int.self, forKey: .expectedSkips)
    cacheBytes = try facts.decodeIfPresent(Int.self, forKey: .cacheBytes)
    memoryBytes = try facts.decode(Int.self, forKey: .memoryBytes)
    weightBytes = try facts.decode(Int.self, forKey: .weightBytes)
    decodingMemoryBytes = try facts.decode(Int.self, forKey: .decodingMemoryBytes)
    decodingTiles = try facts.decode(String.self, forKey: .decodingTiles)
    memoryLimitBytes = try facts.decodeIfPresent(Int.self, forKey: .memoryLimitBytes)
    transformerStreaming = try facts.decodeIfPresent(MemoryPlan.Streaming.self, forKey: .transformerStreaming)
    textEncoderStreaming = try facts.decodeIfPresent(MemoryPlan.Streaming.self, forKey: .textEncoderStreaming)
  }

  public func encode(to encoder: any Encoder) throws {
    try clip.encode(to: encoder)
    var facts = encoder.container(keyedBy: CodingKeys.self)
    try facts.encode(tokens, forKey: .tokens)
    try facts.encode(experts, forKey: .experts)
    try facts.encodeIfPresent(expectedSkips, forKey: .expectedSkips)
    try facts.encodeIfPresent(cacheBytes, forKey: .cacheBytes)
    try facts.encode(memoryBytes, forKey: .memoryBytes)
    try facts.encode(weightBytes, forKey: .weightBytes)
    try facts.encode(decodingMemoryBytes, forKey: .decodingMemoryBytes)
    try facts.encode(decodingTiles, forKey: .decodingTiles)
    try facts.encodeIfPresent(memoryLimitBytes, forKey: .memoryLimitBytes)
    try facts.encodeIfPresent(transformerStreaming, forKey: .transformerStreaming)
    try facts.encodeIfPresent(textEncoderStreaming, forKey: .textEncoderStreaming)
  }
}
