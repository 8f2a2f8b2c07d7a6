public import Tensors

// Facts: wan/utils/fm_solvers.py, FlowDPMSolverMultistepScheduler with its defaults.
// x: latents, m0 and m1: the clean samples of this step and the one before.

/// DPM-Solver++(2M), midpoint, on flow velocities; first order at both ends (https://arxiv.org/abs/2211.01095).
public struct DPMSolver: Solver {
  public let schedule: Schedule
  public private(set) var index = 0
  private var previous: Tensor?

  /// At the schedule's first noise level.
  public init(schedule: Schedule) {
    self.schedule = schedule
  }

  init(schedule: Schedule, state: SolverState) throws(SamplingError) {
    try state.check(schedule, names: state.index == 0 ? [] : ["clean"])
    (self.schedule, index, previous) = (schedule, state.index, state.tensors["clean"])
  }

  public var state: SolverState {
    SolverState(index: index, tensors: previous.map { ["clean": $0] } ?? [:])
  }

  public mutating func step(velocity: Velocity, latents: Tensor) -> SolverStep {
    check(velocity, latents)
    let (now, next) = (NoiseLevel(schedule.sigmas[index]), NoiseLevel(schedule.sigmas[index + 1]))
    let m0 = velocity.cleanSample(latents, sigma: now.sigma)
    let h = next.lambda - now.lambda
    let keep = next.sigma / now.sigma
    let pull = next.alpha * (FloatMath.exponential(-h) - 1)
    let isFirstOrder = index == 0 || index == schedule.steps - 1
    let inverseRatio = isFirstOrder ? 0 : 1 / ((now.lambda - NoiseLevel(schedule.sigmas[index - 1]).lambda) / h)
    defer { (previous, index) = (m0, index + 1) }
    guard let m1 = previous, !isFirstOrder else {
      return SolverStep(elementwise(latents, m0) { x, m0 in keep * x - pull * m0 }, clean: m0)
    }
    let y = elementwise(latents, m0, m1) { x, m0, m1 in
      keep * x - pull * m0 - 0.5 * pull * (inverseRatio * (m0 - m1))
    }
    return SolverStep(y, clean: m0)
  }
}
