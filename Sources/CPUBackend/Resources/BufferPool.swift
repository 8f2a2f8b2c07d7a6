import Synchronization
import Tensors

/// Memory for results, kept when freed and given out again, so that a step finds the blocks of the step before.
///
/// Blocks come in eight sizes per power of two. When more than `limit` bytes lie idle, the longest idle go first.
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

  /// Frees every idle block.
  func trim() {
    let idle = state.withLock { state in
      defer { (state.idle, state.idleBytes) = ([], 0) }
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
    let found: Idle? = state.withLock { state in
      state.usedBytes += size
      state.peakBytes = max(state.peakBytes, state.usedBytes)
      guard let index = state.idle.lastIndex(where: { $0.byteCount == size }) else { return nil }
      state.idleBytes -= size
      return state.idle.remove(at: index)
    }
    if let found { return unsafe found.block }
    return unsafe Memory.allocate(size)
  }

  @unsafe
  private func give(_ block: UnsafeMutableRawPointer, _ size: Int) {
    let idle = unsafe Idle(block: block, byteCount: size)
    let surplus: [Idle] = state.withLock { state in
      state.usedBytes -= size
      state.idle.append(idle)
      state.idleBytes += size
      var surplus: [Idle] = []
      while state.idleBytes > limit, !state.idle.isEmpty {
        let oldest = state.idle.removeFirst()
        state.idleBytes -= oldest.byteCount
        surplus.append(oldest)
      }
      return surplus
    }
    BufferPool.free(surplus)
  }

  private static func free(_ blocks: [Idle]) {
    // SAFETY: the blocks were taken out of the list, so nobody else can find them.
    for idle in blocks { unsafe Memory.free(idle.block, idle.byteCount) }
  }
}
