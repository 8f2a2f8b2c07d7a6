public import Sampling

/// What a generation tells of itself while it runs.
public enum GenerationEvent: Sendable {
  /// A stage begins.
  case stage(GenerationStage)
  /// A step of the sampler is done.
  case step(StepProgress)
  /// Frames so far handed to the clip.
  case frames(done: Int, of: Int)
  /// Latent frames of tiles that are decoded, where decoding is tiled; the first frames follow when all are.
  case tiles(done: Int, of: Int)
  /// Something to know that is no failure, in a line.
  case notice(String)
}

/// The parts of a run, in order.
public enum GenerationStage: String, Sendable, CaseIterable {
  /// From both prompts to their vectors, loading the encoder where a cache does not spare it.
  case encodingText = "encoding the prompt"
  /// The given image through the autoencoder; only with one.
  case encodingImage = "encoding the image"
  /// Reading the weights of an expert; comes again, in the middle of sampling, when the expert changes.
  case loadingExpert = "loading the transformer"
  /// The steps, each with a ``GenerationEvent/step(_:)`` of its own.
  case sampling = "sampling"
  /// Latents to frames, with a ``GenerationEvent/frames(done:of:)`` for each chunk.
  case decoding = "decoding"
}

/// One finished step.
public struct StepProgress: Sendable, Hashable {
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
}
