public import Tensors

/// Walks latents down a schedule, one model output at a time.
///
/// A solver is a value: copying it in the middle of a run keeps both copies able to go on.
public protocol Solver: Sendable {
  /// What the solver was made for; it does not change during a run.
  var schedule: Schedule { get }
  /// Steps taken so far.
  var index: Int { get }

  /// Takes the latents to the next noise level.
  ///
  /// - Parameters:
  ///   - velocity: the model's output at `schedule.timesteps[index]`, of the latents' shape.
  ///   - latents: where the run stands, float32; the result of the last step, perhaps with known parts restored.
  mutating func step(velocity: Velocity, latents: Tensor) -> SolverStep
}

/// What a solver makes of a model output.
public struct SolverStep: Sendable {
  /// The latents at the next noise level, float32.
  public let latents: Tensor
  private let sample: Sample

  private enum Sample {
    case known(Tensor)
    case ahead(of: Tensor, Velocity, sigma: Float)
  }

  /// Of a solver that works on clean samples.
  init(_ latents: Tensor, clean: Tensor) {
    (self.latents, sample) = (latents, .known(clean))
  }

  /// Of a solver that does not: the clean sample is computed when it is asked for.
  init(_ latents: Tensor, from start: Tensor, _ velocity: Velocity, sigma: Float) {
    (self.latents, sample) = (latents, .ahead(of: start, velocity, sigma: sigma))
  }

  /// The clean sample that the model output points to from where the step began: x - sigma v.
  public var clean: Tensor {
    switch sample {
    case .known(let clean): clean
    case .ahead(let start, let velocity, let sigma): velocity.cleanSample(start, sigma: sigma)
    }
  }
}

/// A solver at the start of a schedule.
public func makeSolver(_ kind: SolverKind, schedule: Schedule) -> any Solver {
  switch kind {
  case .unipc: UniPCSolver(schedule: schedule)
  case .dpmpp: DPMSolver(schedule: schedule)
  case .euler: EulerSolver(schedule: schedule)
  }
}

extension Solver {
  func check(_ velocity: Velocity, _ latents: Tensor) {
    precondition(
      velocity.shape == latents.shape && velocity.isFloat && latents.dtype == .f32,
      "step: velocity \(velocity.shape), latents \(latents.shape) \(latents.dtype), not all float32 of one shape")
    precondition(index < schedule.steps, "step: all \(schedule.steps) steps are taken")
  }
}

/// A point of the path x = alpha x0 + sigma noise, in float32 as published.
struct NoiseLevel {
  let sigma, alpha: Float
  /// ln(alpha / sigma): half the logarithm of the signal-to-noise ratio.
  let lambda: Float

  init(_ sigma: Float) {
    self.sigma = sigma
    alpha = 1 - sigma
    lambda = FloatMath.ln(alpha) - FloatMath.ln(sigma)
  }
}
