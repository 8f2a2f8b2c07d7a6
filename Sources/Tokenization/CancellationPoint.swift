/// Looks now and then, by the work that was done, whether the task has been cancelled.
struct CancellationPoint {
  /// Work between two looks; at about a nanosecond each, far below what a person notices.
  private static let interval = 1 << 16

  private var work = Self.interval

  /// Counts so much work; the first call looks at once.
  @inline(__always)
  mutating func pass(_ work: Int) throws(CancellationError) {
    self.work += work
    if self.work >= Self.interval { try look() }
  }

  private mutating func look() throws(CancellationError) {
    work = 0
    if Task.isCancelled { throw CancellationError() }
  }
}
