public import Tensors

// Facts: wan/utils/fm_solvers_unipc.py, FlowUniPCMultistepScheduler with its defaults.
// x: latents, m: clean samples, h: a step in lambda, r: where an older point lies, in steps.

/// UniPC of order 2 with B(h) = e^h - 1 on clean samples; from the second step on, each model output first corrects
/// the latents that it was computed from (https://arxiv.org/abs/2302.04867).
public struct UniPCSolver: Solver {
  public let schedule: Schedule
  public private(set) var index = 0
  private var history: History?

  /// What the last step leaves for the corrector and the next predictor.
  private struct History {
    let latents: Tensor  // where the last step started, after correction
    let clean: Tensor
    let older: Tensor?  // the clean sample before that
    let order: Int
  }

  /// At the schedule's first noise level, with no step to correct from.
  public init(schedule: Schedule) {
    self.schedule = schedule
  }

  init(schedule: Schedule, state: SolverState) throws(SamplingError) {
    let names = ["latents", "clean", "older"].prefix(state.index == 0 ? 0 : state.index == 1 ? 2 : 3)
    try state.check(schedule, names: Set(names))
    (self.schedule, index) = (schedule, state.index)
    history = state.tensors["latents"].flatMap { latents in
      state.tensors["clean"].map { clean in
        History(
          latents: latents, clean: clean, older: state.tensors["older"],
          order: Self.order(of: state.index - 1, steps: schedule.steps))
      }
    }
  }

  public var state: SolverState {
    var tensors: [String: Tensor] = [:]
    if let history { tensors = ["latents": history.latents, "clean": history.clean] }
    if let older = history?.older { tensors["older"] = older }
    return SolverState(index: index, tensors: tensors)
  }

  /// Of a step, counted from 0: the first has nothing to look back on, and the last is kept simple, as published.
  private static func order(of index: Int, steps: Int) -> Int { min(2, steps - index, index + 1) }

  /// Makes three tensors: the clean sample, the corrected latents, and the result.
  public mutating func step(velocity: Velocity, latents: Tensor) -> SolverStep {
    check(velocity, latents)
    let clean = velocity.cleanSample(latents, sigma: schedule.sigmas[index])
    // The corrector comes first: it moves the point that the predictor starts from.
    let x = history.map { corrected($0, with: clean) } ?? latents
    let order = Self.order(of: index, steps: schedule.steps)
    let y = predicted(from: x, clean: clean, older: order == 2 ? history?.clean : nil)
    history = History(latents: x, clean: clean, older: history?.clean, order: order)
    index += 1
    return SolverStep(y, clean: clean)
  }

  /// The latents at the next level.
  private func predicted(from x: Tensor, clean m0: Tensor, older m1: Tensor?) -> Tensor {
    let step = Coefficients(schedule.sigmas, from: index)
    guard let m1 else { return elementwise(x, m0, step.firstOrder) }
    let r = step.ratio(toSigma: schedule.sigmas[index - 1])
    return elementwise(x, m0, m1) { x, m0, m1 in step.firstOrder(x, m0) - step.scaledB * (0.5 * ((m1 - m0) / r)) }
  }

  /// The last step again, now that the clean sample at its end is known.
  private func corrected(_ last: History, with clean: Tensor) -> Tensor {
    let step = Coefficients(schedule.sigmas, from: index - 1)
    let (x, m0) = (last.latents, last.clean)
    guard last.order == 2, let m1 = last.older else {
      return elementwise(x, m0, clean) { x, m0, clean in
        step.firstOrder(x, m0) - step.scaledB * (0.5 * (clean - m0))
      }
    }
    let r = step.ratio(toSigma: schedule.sigmas[index - 2])
    let rho = step.correctorWeights(ratio: r)
    return elementwise(x, m0, m1, clean) { x, m0, m1, clean in
      let residual = rho.older * ((m1 - m0) / r) + rho.newer * (clean - m0)
      return step.firstOrder(x, m0) - step.scaledB * residual
    }
  }
}

/// The scalars of one step, in float32 as published.
private struct Coefficients {
  let from: NoiseLevel
  let h: Float
  /// e^-h - 1, which is both h phi_1(-h) and B(h).
  let b: Float
  /// sigma at the end over sigma at the start.
  let keep: Float
  /// alpha at the end times B(h).
  let scaledB: Float

  init(_ sigmas: [Float], from index: Int) {
    let to = NoiseLevel(sigmas[index + 1])
    from = NoiseLevel(sigmas[index])
    h = to.lambda - from.lambda
    b = FloatMath.expMinusOne(-h)
    keep = to.sigma / from.sigma
    scaledB = to.alpha * b
  }

  func firstOrder(_ x: Float, _ m0: Float) -> Float { keep * x - scaledB * m0 }

  func ratio(toSigma sigma: Float) -> Float { (NoiseLevel(sigma).lambda - from.lambda) / h }

  /// Solves [1 1; r 1] rho = c for the weights of the older and the newer difference.
  ///
  /// Elimination takes the larger pivot and multiplies by reciprocals, as the published code's LAPACK does: the system
  /// is close to singular when steps are small, and the order of rounding shows.
  func correctorWeights(ratio r: Float) -> (older: Float, newer: Float) {
    let phi2 = b / -h - 1
    let phi3 = phi2 / -h - 0.5
    let (c1, c2) = (phi2 / b, phi3 * 2 / b)
    if abs(r) > 1 {
      let factor = 1 / r
      let newer = (c1 - factor * c2) * (1 / (1 - factor))
      return ((c2 - newer) * factor, newer)
    }
    let newer = (c2 - r * c1) * (1 / (1 - r))
    return (c1 - newer, newer)
  }
}
