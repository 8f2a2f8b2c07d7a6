public import Sampling

/// What a generation tells of itself while it runs.
public enum GenerationEvent: Sendable, Hashable {
  /// A stage begins.
  case began(GenerationStage)
  /// A stage is over, after so many seconds; one that fails or is cancelled does not end.
  case ended(GenerationStage, seconds: Double)
  /// A step of the sampler is done.
  case step(StepProgress)
  /// Frames so far handed to the clip.
  case frames(done: Int, of: Int)
  /// Latent frames of tiles that are decoded, where decoding is tiled; the first frames follow when all are.
  case tiles(done: Int, of: Int)
  /// Something to know that is no failure, in a line.
  case notice(String)
}

/// The parts of a run. Loading lies inside the stage that needs it, and comes only where a network is not in memory yet.
public enum GenerationStage: String, Sendable, Hashable, Codable, CaseIterable {
  /// From the tokens of the prompts to their embeddings.
  case encodingText
  /// Reading the weights of the text encoder, where a cache does not spare it.
  case loadingTextEncoder
  /// The given image through the autoencoder; only with one.
  case encodingImage
  /// Reading the weights of the autoencoder's encoding half.
  case loadingImageEncoder
  /// The steps, each with a ``GenerationEvent/step(_:)`` of its own.
  case sampling
  /// Reading the weights of a transformer, and making the prompts' keys and values; comes again when the expert changes.
  case loadingTransformer
  /// Latents to frames, with a ``GenerationEvent/frames(done:of:)`` for each chunk.
  case decoding
  /// Reading the weights of the autoencoder's decoding half.
  case loadingDecoder
}

/// One finished step.
public struct StepProgress: Sendable, Hashable, Codable {
  /// 1 for the first.
  public let step: Int
  /// How many there are in all.
  public let steps: Int
  /// The transformer that ran.
  public let expert: Expert
  /// The timestep that ran, 0...1000.
  public let timestep: Float
  /// What this step took, in seconds.
  public let seconds: Double
  /// What the remaining steps will take by the median of those done, in seconds.
  public let secondsLeft: Double
  /// True where the transformer did not run, and what it had said before was used again; `nil` at every other step.
  public internal(set) var skipped: Bool?
}

/// JSON: an object whose `event` says what it is: "stage", "stageEnd", "step", "frames", "tiles" or "notice".
extension GenerationEvent: Codable {
  private enum CodingKeys: String, CodingKey { case event, stage, seconds, frames, tiles, of, notice }
  private enum Kind: String, Codable { case stage, stageEnd, step, frames, tiles, notice }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    switch try fields.decode(Kind.self, forKey: .event) {
    case .stage: self = .began(try fields.decode(GenerationStage.self, forKey: .stage))
    case .stageEnd:
      self = .ended(
        try fields.decode(GenerationStage.self, forKey: .stage),
        seconds: try fields.decode(Double.self, forKey: .seconds))
    case .step: self = .step(try StepProgress(from: decoder))
    case .frames:
      self = .frames(done: try fields.decode(Int.self, forKey: .frames), of: try fields.decode(Int.self, forKey: .of))
    case .tiles:
      self = .tiles(done: try fields.decode(Int.self, forKey: .tiles), of: try fields.decode(Int.self, forKey: .of))
    case .notice: self = .notice(try fields.decode(String.self, forKey: .notice))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .began(let stage):
      try fields.encode(Kind.stage, forKey: .event)
      try fields.encode(stage, forKey: .stage)
    case .ended(let stage, let seconds):
      try fields.encode(Kind.stageEnd, forKey: .event)
      try fields.encode(stage, forKey: .stage)
      try fields.encode(seconds, forKey: .seconds)
    case .step(let progress):
      try fields.encode(Kind.step, forKey: .event)
      try progress.encode(to: encoder)
    case .frames(let done, let count):
      try fields.encode(Kind.frames, forKey: .event)
      try fields.encode(done, forKey: .frames)
      try fields.encode(count, forKey: .of)
    case .tiles(let done, let count):
      try fields.encode(Kind.tiles, forKey: .event)
      try fields.encode(done, forKey: .tiles)
      try fields.encode(count, forKey: .of)
    case .notice(let text):
      try fields.encode(Kind.notice, forKey: .event)
      try fields.encode(text, forKey: .notice)
    }
  }
}
