import Files
import Foundation
import Tensors

/// Holds the blocks of networks in memory that are used next, within a budget: a thread reads ahead while others compute,
/// and what was used is dropped, but for the blocks that stay.
///
/// A network that is used over and over and does not fit would push itself out of the system's cache: the least recently
/// used page is the one that is needed soonest. Here the order of all uses is known, so that what stays is chosen, and
/// what goes is what will be needed last. When a run's last pass uses a block, its memory goes to the run that follows.
///
/// The bytes that networks look at are the mapped file's all along, whether they are in memory or not.
final class BlockStream: @unchecked Sendable {
  private let uses: StreamedUses
  /// The number of each given run among those that have anything to stream.
  private let places: [Int?]
  private let budget: Int
  private let dropsFromCache: Bool
  private let kept: [Set<Int>]
  /// Guards all that follows, and tells of its changes: `@unchecked Sendable` rests on that.
  private let condition = NSCondition()
  private var present: Set<StreamedUse.Item> = []
  private var presentBytes = 0
  /// The use that is computed; -1 before the first.
  private var computed = -1
  /// Whether it is over, or was skipped.
  private var isOver = true
  private var failure: FileError?
  private var isStopped = false
  private var waitedSeconds = 0.0
  private var readBytes = 0

  /// - Parameters:
  ///   - runs: in the order in which they are used.
  ///   - budget: bytes of blocks in memory at a time; two of the largest at least.
  ///   - dropsFromCache: whether the system's cache should forget what is dropped: where it could not hold all of it.
  init(_ runs: [StreamedRun], budget: Int, dropsFromCache: Bool) {
    var count = 0
    places = runs.map { run in
      guard run.isUsed else { return nil }
      defer { count += 1 }
      return count
    }
    uses = StreamedUses(runs.filter(\.isUsed))
    self.budget = budget
    self.dropsFromCache = dropsFromCache
    kept = uses.runs.map { $0.kept(within: budget) }
    let thread = Thread { self.readAhead() }
    thread.name = "wan.stream"
    thread.start()
  }

  /// Seconds that computing has waited for the disk.
  var waited: Double { locked { waitedSeconds } }

  /// Bytes read so far.
  var read: Int { locked { readBytes } }

  /// Called before each use, in order: the one before is over, and this one is in memory when the call returns.
  ///
  /// - Throws: what the disk did not give; `CancellationError`.
  func enter() throws {
    leave()
    let started = ContinuousClock.now
    condition.lock()
    defer { condition.unlock() }
    (computed, isOver) = (computed + 1, false)
    guard computed < uses.count else { return }
    let item = uses[computed].item
    condition.broadcast()
    while !present.contains(item) {
      if let failure { throw failure }
      if isStopped || Task.isCancelled { throw CancellationError() }
      _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1))
    }
    waitedSeconds += (ContinuousClock.now - started).inSeconds
  }

  /// Leaves out the uses before a pass of a run, by the numbers of the runs as they were given: what comes next is its
  /// first block. Blocks that were read ahead stay for it, but for those of runs that are over.
  func skip(to run: Int, pass: Int) {
    guard let run = places[run] else { return }
    leave()
    let stale: [StreamedUse.Item] = locked {
      let first = uses.first(of: run, pass: pass)
      guard first > computed + 1 else { return [] }
      (computed, isOver) = (first - 1, true)
      return Array(present.filter { $0.run < run })
    }
    for item in stale { drop(item) }
  }

  /// Ends reading, and gives back the memory of every block; what is loaded from the files later may be copied again.
  func stop() {
    locked { isStopped = true }
    for item in locked({ present }) { drop(item) }
    for region in uses.runs.lazy.flatMap(\.regions).joined() { region.storage.setStreamed(false) }
  }

  /// The use that was computed is over.
  private func leave() {
    let item: StreamedUse.Item? = locked {
      guard !isOver, (0..<uses.count).contains(computed) else { return nil }
      isOver = true
      let use = uses[computed]
      let isLast = use.pass == uses.runs[use.item.run].passes - 1
      return isLast || !kept[use.item.run].contains(use.item.block) ? use.item : nil
    }
    if let item { drop(item) }
  }

  private func drop(_ item: StreamedUse.Item) {
    let run = uses.runs[item.run]
    for region in run.regions[item.block] { region.drop(fromCache: dropsFromCache) }
    locked {
      if present.remove(item) != nil { presentBytes -= run.byteCount(item.block) }
    }
  }

  // MARK: The reading thread

  /// Never comes round to a block that is still there from the pass before and will be dropped: all blocks would have to
  /// be in memory then, and where they fit, all of them stay.
  private func readAhead() {
    for number in 0..<uses.count {
      let item = uses[number].item
      guard waitForRoom(number, item) else { return }
      if locked({ isPast(number) || present.contains(item) }) { continue }
      do throws(FileError) {
        for region in uses.runs[item.run].regions[item.block] {
          try region.fetch()
          if locked({ isStopped }) { return }
        }
      } catch {
        locked { failure = error }
        return
      }
      let isStale = locked {
        present.insert(item)
        presentBytes += uses.runs[item.run].byteCount(item.block)
        readBytes += uses.runs[item.run].byteCount(item.block)
        return computed + 1 >= uses.first(of: item.run + 1, pass: 0) && isPast(number)
      }
      // All that was left of its run was skipped while it was read.
      if isStale { drop(item) }
    }
  }

  /// Whether a use is over, or was skipped.
  private func isPast(_ number: Int) -> Bool { number < computed || number == computed && isOver }

  /// Waits until a use is in memory or may be read; false when nothing more is to be read.
  private func waitForRoom(_ number: Int, _ item: StreamedUse.Item) -> Bool {
    let byteCount = uses.runs[item.run].byteCount(item.block)
    condition.lock()
    defer { condition.unlock() }
    while !isStopped {
      if isPast(number) || present.contains(item) { return true }
      let hasRoom = presentBytes + byteCount <= budget || number <= computed
      if hasRoom && uses.mayRead(number, during: computed) { return true }
      condition.wait()
    }
    return false
  }

  private func locked<R>(_ body: () -> R) -> R {
    condition.lock()
    defer {
      condition.broadcast()
      condition.unlock()
    }
    return body()
  }
}
