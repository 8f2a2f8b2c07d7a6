public import Tensors

// Solvers that remember nothing but how far they are.

/// x + (next sigma - sigma) v.
public struct EulerSolver: Solver {
  public let schedule: Schedule
  public private(set) var index = 0

  /// At the schedule's first noise level.
  public init(schedule: Schedule) {
    self.schedule = schedule
  }

  init(schedule: Schedule, state: SolverState) throws(SamplingError) {
    try state.check(schedule, names: [])
    (self.schedule, index) = (schedule, state.index)
  }

  public var state: SolverState { SolverState(index: index, tensors: [:]) }

  public mutating func step(velocity: Velocity, latents: Tensor) -> SolverStep {
    check(velocity, latents)
    let sigma = schedule.sigmas[index]
    let difference = schedule.sigmas[index + 1] - sigma
    index += 1
    return SolverStep(velocity.map(latents) { x, v in x + difference * v }, from: latents, velocity, sigma: sigma)
  }
}

/// (1 - next sigma) x0 + next sigma noise, where x0 = x - sigma v and the noise is drawn anew: multistep consistency
/// sampling (https://arxiv.org/abs/2310.04378, algorithm 3), which FastWan and rCM step by.
///
/// The noise is left to who holds its generator: ``SolverStep/renoised(_:)``.
public struct LCMSolver: Solver {
  public let schedule: Schedule
  public private(set) var index = 0

  /// At the schedule's first noise level.
  public init(schedule: Schedule) {
    self.schedule = schedule
  }

  init(schedule: Schedule, state: SolverState) throws(SamplingError) {
    try state.check(schedule, names: [])
    (self.schedule, index) = (schedule, state.index)
  }

  public var state: SolverState { SolverState(index: index, tensors: [:]) }

  public mutating func step(velocity: Velocity, latents: Tensor) -> SolverStep {
    check(velocity, latents)
    let clean = velocity.cleanSample(latents, sigma: schedule.sigmas[index])
    let next = schedule.sigmas[index + 1]
    index += 1
    guard next > 0 else { return SolverStep(clean, clean: clean) }
    return SolverStep(elementwise(clean) { (1 - next) * $0 }, clean: clean, freshNoise: next)
  }
}
