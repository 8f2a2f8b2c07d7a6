import Synchronization
import Tensors

/// Memory for results, kept when freed and given out again, so that a step finds the blocks of the step before.
///
/// Blocks come in eight sizes per power of two. What is in use and what lies idle are together at most `limit` bytes more
/// than was in use at one time since the last ``trim()``: a step finds all blocks of the step before, and the process
/// never holds more than it would with `limit` bytes idle at its peak. When a new block would pass that, the longest idle
/// go first. Pages that the system has to clear again cost a pass at full size a sixth of its time.
final class BufferPool: Sendable {
  /// A block that nobody uses.
  @safe
  private struct Idle: @unchecked Sendable {
    let block: UnsafeMutableRawPointer
    let byteCount: Int
  }

  private struct State {
    var idle: [Idle] = []  // longest idle first
    var idleBytes = 0
    var usedBytes = 0
    var peakBytes = 0
    /// The most in use since the last trim.
    var highBytes = 0

    /// Counts a block that is going to be used.
    mutating func use(_ size: Int) {
      usedBytes += size
      peakBytes = max(peakBytes, usedBytes)
      highBytes = max(highBytes, usedBytes)
    }

    /// A block of exactly this size, the latest that became idle.
    mutating func idleBlock(_ size: Int) -> Idle? {
      guard let index = idle.lastIndex(where: { $0.byteCount == size }) else { return nil }
      idleBytes -= size
      return idle.remove(at: index)
    }

    /// The longest idle blocks that are more than `limit` bytes too many.
    mutating func surplus(_ limit: Int) -> [Idle] {
      var surplus: [Idle] = []
      while usedBytes + idleBytes > highBytes + limit, !idle.isEmpty {
        let oldest = idle.removeFirst()
        idleBytes -= oldest.byteCount
        surplus.append(oldest)
      }
      return surplus
    }
  }

  let limit: Int
  private let state = Mutex(State())

  init(limit: Int) {
    self.limit = limit
  }

  deinit {
    trim()
  }

  /// At least `byteCount` bytes of any content.
  func storage(byteCount: Int) -> Storage {
    let size = BufferPool.blockSize(for: byteCount)
    // SAFETY: the block has `size` bytes, is nobody else's, and comes back here once.
    return unsafe Storage(adopting: take(size), byteCount: size) { [self] block, size in unsafe give(block, size) }
  }

  /// Frees every idle block, and forgets how much was in use.
  func trim() {
    let idle = state.withLock { state in
      defer { (state.idle, state.idleBytes, state.highBytes) = ([], 0, state.usedBytes) }
      return state.idle
    }
    BufferPool.free(idle)
  }

  var idleBytes: Int { state.withLock { $0.idleBytes } }

  /// Bytes of the blocks in use, and the most at one time since the last ``restartPeak()``.
  var used: (present: Int, peak: Int) { state.withLock { ($0.usedBytes, $0.peakBytes) } }

  /// Forgets the peak, and goes on from what is in use.
  func restartPeak() {
    state.withLock { $0.peakBytes = $0.usedBytes }
  }

  /// The size given out for a request: at most an eighth more.
  static func blockSize(for byteCount: Int) -> Int {
    let wanted = max(byteCount, Memory.alignment)
    let highest = Int.bitWidth - 1 - wanted.leadingZeroBitCount
    let step = max(Memory.alignment, 1 << max(0, highest - 3))
    return (wanted + step - 1) / step * step
  }

  @unsafe
  private func take(_ size: Int) -> UnsafeMutableRawPointer {
    let (found, surplus): (Idle?, [Idle]) = state.withLock { state in
      state.use(size)
      let found = state.idleBlock(size)
      return (found, found == nil ? state.surplus(limit) : [])
    }
    BufferPool.free(surplus)
    if let found { return unsafe found.block }
    return unsafe Memory.allocate(size)
  }

  @unsafe
  private func give(_ block: UnsafeMutableRawPointer, _ size: Int) {
    let idle = unsafe Idle(block: block, byteCount: size)
    state.withLock { state in
      state.usedBytes -= size
      state.idle.append(idle)
      state.idleBytes += size
    }
  }

  private static func free(_ blocks: [Idle]) {
    // SAFETY: the blocks were taken out of the list, so nobody else can find them.
    for idle in blocks { unsafe Memory.free(idle.block, idle.byteCount) }
  }
}
