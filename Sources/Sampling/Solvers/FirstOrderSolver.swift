public import Tensors

/// A solver that remembers nothing but how far it is: Euler's, and multistep consistency sampling.
public struct FirstOrderSolver: Solver {
  public let schedule: Schedule
  public private(set) var index = 0
  private let rule: Rule

  /// How latents x are taken from a noise level to the next by the velocity v.
  public enum Rule: Sendable, Hashable {
    /// x + (next sigma - sigma) v
    case euler
    /// (1 - next sigma) x0 + next sigma noise, where x0 = x - sigma v and the noise is drawn anew
    /// (https://arxiv.org/abs/2310.04378, algorithm 3), which FastWan and rCM step by. The noise is left to who holds its
    /// generator: ``SolverStep/renoised(_:)``.
    case lcm
  }

  /// At the schedule's first noise level.
  public init(_ rule: Rule, schedule: Schedule) {
    (self.rule, self.schedule) = (rule, schedule)
  }

  init(_ rule: Rule, schedule: Schedule, state: SolverState) throws(SamplingError) {
    try state.check(schedule, names: [])
    (self.rule, self.schedule, index) = (rule, schedule, state.index)
  }

  public var state: SolverState { SolverState(index: index, tensors: [:]) }

  public mutating func step(velocity: Velocity, latents: Tensor) -> SolverStep {
    check(velocity, latents)
    let (sigma, next) = (schedule.sigmas[index], schedule.sigmas[index + 1])
    index += 1
    switch rule {
    case .euler:
      return SolverStep(
        velocity.map(latents) { x, v in x + (next - sigma) * v }, from: latents, velocity, sigma: sigma)
    case .lcm:
      let clean = velocity.cleanSample(latents, sigma: sigma)
      guard next > 0 else { return SolverStep(clean, clean: clean) }
      return SolverStep(elementwise(clean) { (1 - next) * $0 }, clean: clean, freshNoise: next)
    }
  }
}
