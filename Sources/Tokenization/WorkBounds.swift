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

/// How many characters the passes of a repair may go through in all.
///
/// Repairs go on until nothing changes. Text that people have takes a few passes; text can be made in which each pass
/// repairs one character and so lets the next pass repair one more.
struct RepairBudget {
  private static let passes = 128
  private static let base = 1 << 16

  private var remaining: Int
  private var cancellation = CancellationPoint()

  /// - Parameter count: characters of the text.
  init(for count: Int) {
    remaining = Self.passes * count + Self.base
  }

  /// Whether one more pass over so many characters may be made.
  mutating func takes(_ count: Int) throws(CancellationError) -> Bool {
    remaining -= count
    try cancellation.pass(count + 1)
    return remaining >= 0
  }
}
