public import Tensors

/// A solver that remembers nothing but how far it is: Euler's, its ancestral form, and multistep consistency sampling.
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
    /// Euler's step to d = n^2 / sigma, where n is the next sigma, times a = (1 - n) / (1 - d), and fresh noise times
    /// sqrt(n^2 - (a d)^2): signal and noise then have the shares of level n. The form of k-diffusion's ancestral step
    /// (https://github.com/crowsonkb/k-diffusion) for straight paths, as ComfyUI's `sample_euler_ancestral_RF` has it
    /// with eta 1.
    case eulerAncestral
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
    case .eulerAncestral:
      let down = next * next / sigma
      let ratio = (1 - next) / (1 - down)
      let noise = max(0, next * next - ratio * ratio * down * down).squareRoot()
      let moved = velocity.map(latents) { x, v in ratio * (x + (down - sigma) * v) }
      return SolverStep(moved, from: latents, velocity, sigma: sigma, freshNoise: noise)
    }
  }
}
