public import Sampling

/// What a generation tells of itself while it runs.
public enum GenerationEvent: Sendable {
  /// A stage begins.
  case stage(GenerationStage)
  /// A step of the sampler is done.
  case step(StepProgress)
  /// Frames so far handed to the clip.
  case frames(done: Int, of: Int)
}

/// The parts of a run, in order.
public enum GenerationStage: String, Sendable, CaseIterable {
  case encodingText = "encoding the prompt"
  case encodingImage = "encoding the image"
  case loadingExpert = "loading the transformer"
  case sampling = "sampling"
  case decoding = "decoding"
}

/// One finished step.
public struct StepProgress: Sendable, Hashable {
  /// 1 for the first.
  public let step: Int
  public let steps: Int
  public let expert: Expert
  /// The timestep that ran, 0...1000.
  public let timestep: Float
  /// What this step took, in seconds.
  public let seconds: Double
  /// What the remaining steps will take by the median of those done, in seconds.
  public let secondsLeft: Double
}
