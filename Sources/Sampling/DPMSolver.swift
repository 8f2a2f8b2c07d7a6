public import Tensors

// Facts: wan/utils/fm_solvers.py, FlowDPMSolverMultistepScheduler with its defaults.
// x: latents, m0 and m1: the clean samples of this step and the one before.

/// DPM-Solver++(2M), midpoint, on flow velocities; first order at both ends (https://arxiv.org/abs/2211.01095).
public struct DPMSolver: Solver {
  public let schedule: Schedule
  public private(set) var index = 0
  private var previous: [Float] = []

  /// At the schedule's first noise level.
  public init(schedule: Schedule) {
    self.schedule = schedule
  }

  public mutating func step(velocity: Tensor, latents: Tensor) -> Tensor {
    check(velocity, latents)
    let (now, next) = (NoiseLevel(schedule.sigmas[index]), NoiseLevel(schedule.sigmas[index + 1]))
    let x = latents.floats()
    let m0 = cleanSample(x, velocity: velocity.floats(), sigma: now.sigma)
    let (m1, h) = (previous, next.lambda - now.lambda)
    let keep = next.sigma / now.sigma
    let pull = next.alpha * (FloatMath.exponential(-h) - 1)
    let isFirstOrder = index == 0 || index == schedule.steps - 1
    let inverseRatio = isFirstOrder ? 0 : 1 / ((now.lambda - NoiseLevel(schedule.sigmas[index - 1]).lambda) / h)
    previous = m0
    index += 1
    let y = elementwise(x.count) { i in
      let first = keep * x[i] - pull * m0[i]
      return isFirstOrder ? first : first - 0.5 * pull * (inverseRatio * (m0[i] - m1[i]))
    }
    return Tensor(y, shape: latents.shape)
  }
}
