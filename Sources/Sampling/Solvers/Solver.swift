public import Tensors

/// Walks latents down a schedule, one model output at a time.
///
/// A solver is a value: copying it in the middle of a run keeps both copies able to go on.
public protocol Solver: Sendable {
  /// What the solver was made for; it does not change during a run.
  var schedule: Schedule { get }
  /// Steps taken so far.
  var index: Int { get }
  /// What it would need to go on elsewhere.
  var state: SolverState { get }

  /// Takes the latents to the next noise level.
  ///
  /// - Parameters:
  ///   - velocity: the model's output at `schedule.timesteps[index]`, of the latents' shape.
  ///   - latents: where the run stands, float32; the result of the last step, perhaps with known parts restored.
  mutating func step(velocity: Velocity, latents: Tensor) -> SolverStep
}

/// What a solver makes of a model output.
public struct SolverStep: Sendable {
  /// The latents at the next noise level, float32; where ``freshNoise`` is above 0, all of them but that noise.
  public let latents: Tensor
  /// How much of a fresh draw of noise belongs on top of the latents: 0 but for solvers that draw
  /// (``SolverKind/drawsNoise``).
  public let freshNoise: Float
  private let sample: Sample

  private enum Sample {
    case known(Tensor)
    case ahead(of: Tensor, Velocity, sigma: Float)
  }

  /// Of a solver that works on clean samples.
  init(_ latents: Tensor, clean: Tensor, freshNoise: Float = 0) {
    (self.latents, sample, self.freshNoise) = (latents, .known(clean), freshNoise)
  }

  /// Of a solver that does not: the clean sample is computed when it is asked for.
  init(_ latents: Tensor, from start: Tensor, _ velocity: Velocity, sigma: Float, freshNoise: Float = 0) {
    (self.latents, sample, self.freshNoise) = (latents, .ahead(of: start, velocity, sigma: sigma), freshNoise)
  }

  /// The step with its fresh noise on top; `draw` gives it, and is not asked where none belongs there.
  public func renoised(_ draw: () -> Tensor) -> SolverStep {
    guard freshNoise > 0 else { return self }
    let noise = draw()
    precondition(
      noise.shape == latents.shape && noise.dtype == .f32, "noise \(noise.shape) for latents \(latents.shape)")
    let level = freshNoise
    return SolverStep(elementwise(latents, noise) { x, noise in x + level * noise }, sample)
  }

  /// With its fresh noise on top.
  private init(_ latents: Tensor, _ sample: Sample) {
    (self.latents, self.sample, freshNoise) = (latents, sample, 0)
  }

  /// The clean sample that the model output points to from where the step began: x - sigma v.
  public var clean: Tensor {
    switch sample {
    case .known(let clean): clean
    case .ahead(let start, let velocity, let sigma): velocity.cleanSample(start, sigma: sigma)
    }
  }
}

/// What a solver remembers of the steps that it has taken: all that it needs to go on in another process.
public struct SolverState: Sendable {
  /// Steps taken.
  public let index: Int
  /// Float32 tensors of the latents' shape, by the names that the solver gives them.
  public let tensors: [String: Tensor]

  /// Whether it fits a schedule is checked when a solver is made of it.
  public init(index: Int, tensors: [String: Tensor]) {
    (self.index, self.tensors) = (index, tensors)
  }

  /// Throws unless the steps lie in the schedule and the tensors are those that the solver then has.
  func check(_ schedule: Schedule, names: Set<String>) throws(SamplingError) {
    guard (0...schedule.steps).contains(index) else {
      throw .state("step \(index) of \(schedule.steps)")
    }
    guard Set(tensors.keys) == names else {
      throw .state("tensors \(tensors.keys.sorted()), where step \(index) has \(names.sorted())")
    }
    let shapes = Set(tensors.values.map(\.shape))
    guard shapes.count <= 1, tensors.values.allSatisfy({ $0.dtype == .f32 }) else {
      throw .state("tensors of shapes \(shapes.map(\.description).sorted()), not all float32 of one shape")
    }
  }
}

/// The ways to walk from noise to a clip.
public enum SolverKind: String, CaseIterable, Sendable, Hashable, Codable {
  /// UniPC, order 2 with corrector: the published default.
  case unipc
  /// DPM-Solver++(2M), midpoint.
  case dpmpp = "dpm++"
  /// One Euler step per timestep: what distilled models are made for.
  case euler
  /// The clean sample, and fresh noise up to the next level: what consistency models are made for.
  case lcm
  /// Euler's step further down than the next level, and fresh noise up to it.
  case eulerAncestral = "euler-ancestral"

  /// Whether each step but the last takes fresh noise.
  public var drawsNoise: Bool { self == .lcm || self == .eulerAncestral }

  /// Whether a step looks at nothing but its own model output, and is told timesteps with their fractions.
  var isFirstOrder: Bool { drawsNoise || self == .euler }
}

/// A solver at the start of a schedule.
public func makeSolver(_ kind: SolverKind, schedule: Schedule) -> any Solver {
  switch kind {
  case .unipc: UniPCSolver(schedule: schedule)
  case .dpmpp: DPMSolver(schedule: schedule)
  case .euler: FirstOrderSolver(.euler, schedule: schedule)
  case .lcm: FirstOrderSolver(.lcm, schedule: schedule)
  case .eulerAncestral: FirstOrderSolver(.eulerAncestral, schedule: schedule)
  }
}

/// A solver that goes on where another stood.
///
/// - Throws: `SamplingError` for a state of another solver, or that lies outside the schedule.
public func makeSolver(
  _ kind: SolverKind, schedule: Schedule, state: SolverState
) throws(SamplingError) -> any Solver {
  switch kind {
  case .unipc: try UniPCSolver(schedule: schedule, state: state)
  case .dpmpp: try DPMSolver(schedule: schedule, state: state)
  case .euler: try FirstOrderSolver(.euler, schedule: schedule, state: state)
  case .lcm: try FirstOrderSolver(.lcm, schedule: schedule, state: state)
  case .eulerAncestral: try FirstOrderSolver(.eulerAncestral, schedule: schedule, state: state)
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
