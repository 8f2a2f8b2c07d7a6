import Sampling
import Synchronization
import Tensors

/// Looks at each finished step of a run: a preview, a trace, a saved state.
public protocol StepObserver: Sendable {
  /// Called on the run's own thread, which waits.
  ///
  /// - Throws: to end the run.
  func observe(_ step: StepResult) throws
}

/// Ends a run whose latents have become useless. It looks first, so that nobody keeps or shows such a step.
struct Watchdog: StepObserver {
  func observe(_ step: StepResult) throws {
    try LatentWatchdog.check(
      step.latents, step: step.step, expert: step.expert == .only ? nil : step.expert.rawValue)
  }
}

/// Tells each step with a guess at what is left: from the median of those done, or where steps are skipped, their mean.
final class ProgressTeller: StepObserver {
  private let done = Mutex<(seconds: [Double], hasSkipped: Bool)>(([], false))
  private let onEvent: @Sendable (GenerationEvent) -> Void

  init(_ onEvent: @escaping @Sendable (GenerationEvent) -> Void) {
    self.onEvent = onEvent
  }

  func observe(_ step: StepResult) {
    let typical = done.withLock { done in
      done.seconds.append(step.seconds)
      if step.isSkipped { done.hasSkipped = true }
      let count = done.seconds.count
      return done.hasSkipped ? done.seconds.reduce(0, +) / Double(count) : done.seconds.sorted()[count / 2]
    }
    onEvent(
      .step(
        StepProgress(
          step: step.step, steps: step.steps, expert: step.expert, timestep: step.timestep, seconds: step.seconds,
          secondsLeft: typical * Double(step.steps - step.step), skipped: step.isSkipped ? true : nil)))
  }
}

/// Keeps what a run computes, for comparison with other implementations.
final class TraceRecorder: StepObserver {
  private let kept = Mutex(GenerationTrace())

  /// What was recorded so far.
  var trace: GenerationTrace { kept.withLock { $0 } }

  func observe(_ step: StepResult) {
    kept.withLock { trace in
      trace.latents.append(step.latents)
      trace.timesteps.append(step.timestep)
      trace.experts.append(step.expert)
    }
  }

  /// Notes what is not a step's.
  func note(_ change: (inout GenerationTrace) -> Void) { kept.withLock { change(&$0) } }
}

extension Duration {
  /// Whole and fractional seconds.
  public var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
