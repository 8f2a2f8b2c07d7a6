public import Sampling
import Synchronization

/// Saves where a run stands, after every step or now and then; what cannot be saved costs a notice, never the run.
public final class RunSaver: StepObserver {
  private let run: SavedRun?
  private let interval: Double
  private let progress = Mutex(Progress())
  private let onNotice: @Sendable (String) -> Void

  private struct Progress {
    var last: RunState?
    var isSaved = true
    var saved: ContinuousClock.Instant?
    var hasFailed = false
  }

  /// - Parameters:
  ///   - run: where states go; without one the last is kept in memory, for ``last``.
  ///   - interval: seconds between two states; every step by default. The last step is always saved.
  ///   - onNotice: told in a line what could not be saved.
  public init(_ run: SavedRun?, every interval: Double = 0, onNotice: @escaping @Sendable (String) -> Void = { _ in }) {
    (self.run, self.interval, self.onNotice) = (run, interval, onNotice)
  }

  public func observe(_ step: StepResult) {
    let isDue = progress.withLock { progress in
      (progress.last, progress.isSaved) = (step.state, false)
      guard step.step < step.steps, let saved = progress.saved else { return true }
      return (ContinuousClock.now - saved).inSeconds >= interval
    }
    if isDue { save() }
  }

  /// Where the run stood after its last step.
  public var last: RunState? { progress.withLock { $0.last } }

  /// Saves the last step where that has not been done.
  public func save() {
    guard let run, let state = progress.withLock({ $0.isSaved ? nil : $0.last }) else { return }
    do {
      try run.write(state)
      progress.withLock { ($0.isSaved, $0.saved, $0.hasFailed) = (true, .now, false) }
    } catch {
      let isNew = progress.withLock { progress in
        defer { progress.hasFailed = true }
        return !progress.hasFailed
      }
      if isNew { onNotice("the run goes on, but where it stands is not saved: \(error)") }
    }
  }
}
