import Sampling

/// Times steps and guesses what is left from the median of those done.
struct StepClock {
  private let steps: Int
  private var done: [Double] = []
  private var started = ContinuousClock.now

  init(steps: Int) {
    self.steps = steps
  }

  mutating func start() {
    started = .now
  }

  mutating func finish(step: Int, expert: Expert, timestep: Float) -> StepProgress {
    let seconds = (ContinuousClock.now - started).inSeconds
    done.append(seconds)
    let median = done.sorted()[done.count / 2]
    return StepProgress(
      step: step, steps: steps, expert: expert, timestep: timestep, seconds: seconds,
      secondsLeft: median * Double(steps - step))
  }
}

extension Duration {
  /// Whole and fractional seconds.
  public var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
