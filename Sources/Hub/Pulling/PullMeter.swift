import Synchronization

/// Adds up what several downloads have, and tells it now and then.
final class PullMeter: Sendable {
  private struct Counts {
    var done: Int
    var fetched = 0
    var told = ContinuousClock.now
  }

  let tell: @Sendable (PullEvent) -> Void
  private let bytes: Int
  private let counts: Mutex<Counts>

  private static let pause = Duration.milliseconds(100)

  init(bytes: Int, tell: @escaping @Sendable (PullEvent) -> Void) {
    (self.bytes, self.tell) = (bytes, tell)
    counts = Mutex(Counts(done: 0))
  }

  /// Bytes that came over the network so far.
  var fetched: Int { counts.withLock { $0.fetched } }

  /// Counts bytes that are there; fewer than none where some were given up.
  func add(_ count: Int, areFetched: Bool = false) {
    let event: PullEvent? = counts.withLock { counts in
      counts.done += count
      if areFetched { counts.fetched += count }
      let now = ContinuousClock.now
      guard now - counts.told >= Self.pause || counts.done == bytes else { return nil }
      counts.told = now
      return .progress(done: counts.done, fetched: counts.fetched, bytes: bytes)
    }
    if let event { tell(event) }
  }
}
