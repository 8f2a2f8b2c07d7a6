public import Tensors

/// x + (next sigma - sigma) v.
public struct EulerSolver: Solver {
  public let schedule: Schedule
  public private(set) var index = 0

  /// At the schedule's first noise level.
  public init(schedule: Schedule) {
    self.schedule = schedule
  }

  public mutating func step(velocity: Velocity, latents: Tensor) -> SolverStep {
    check(velocity, latents)
    let sigma = schedule.sigmas[index]
    let difference = schedule.sigmas[index + 1] - sigma
    index += 1
    return SolverStep(velocity.map(latents) { x, v in x + difference * v }, from: latents, velocity, sigma: sigma)
  }
}
