import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What happens when the system gives no more memory.
///
/// Operations on tensors do not throw, so whoever asks for memory in vain calls ``end(byteCount:)``. It says so in a
/// sentence on standard error and ends the process with status 1: no trap, no stack dump. A program that has something
/// to put away first installs a handler.
public enum MemoryExhaustion {
  /// Told how many bytes were wanted; 0 where that is not known.
  ///
  /// It runs on the thread that wanted them, perhaps in the middle of anything, and must ask for little memory: what
  /// it needs beyond the reserve ends the process at once. It ends with ``report(byteCount:)`` and `_exit`.
  public typealias Handler = @Sendable (_ byteCount: Int) -> Never

  private struct State {
    var handler: Handler?
    var reserve: Reserve?
    /// The thread that is ending the process.
    var ending: ThreadNumber?
  }

  private static let state = Mutex(State())

  /// Puts a handler in the place of the one there was, and sets memory aside that is freed before it is called.
  public static func install(_ handler: @escaping Handler) {
    let reserve = Reserve()
    let former = state.withLock { state in
      defer { (state.handler, state.reserve) = (handler, reserve) }
      return state.reserve
    }
    former?.free()
  }

  /// Ends the process because memory was asked for in vain.
  ///
  /// - Parameter byteCount: what was wanted; 0 where that is not known.
  public static func end(byteCount: Int = 0) -> Never {
    let thread = ThreadNumber()
    let taken: (handler: Handler?, reserve: Reserve?, ending: ThreadNumber?)? = state.withLockIfAvailable { state in
      defer { state.ending = state.ending ?? thread }
      return (state.handler, state.reserve, state.ending)
    }
    if let taken, taken.ending == nil {
      taken.reserve?.free()
      if let handler = taken.handler { handler(byteCount) }
      report(byteCount: byteCount)
    } else if taken?.ending != thread {
      // Another thread is on its way out. It may need what this one holds, so it is not waited for for ever.
      sleep(2)
    }
    _exit(1)
  }

  /// Writes the sentence to standard error, by the system's write alone.
  public static func report(byteCount: Int) {
    write("Error: the system gives no more memory")
    if byteCount > 0 {
      write(" (")
      writeDigits(of: byteCount)
      write(" bytes were wanted)")
    }
    write("; ask for a smaller size or fewer frames, or raise the limit on memory ('ulimit -v', 'ulimit -d')\n")
  }

  private static func write(_ text: StaticString) {
    // SAFETY: a static string's bytes are there as long as the process.
    unsafe writeAll(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private static func writeDigits(of number: Int) {
    unsafe withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
      var (rest, first) = (number, digits.count)
      repeat {
        first -= 1
        unsafe digits.storeBytes(of: UInt8(ascii: "0") + UInt8(rest % 10), toByteOffset: first, as: UInt8.self)
        rest /= 10
      } while rest > 0
      // SAFETY: the digits lie from `first` to the end of the block.
      unsafe writeAll(UnsafeRawBufferPointer(rebasing: digits[first...]))
    }
  }

  @unsafe
  private static func writeAll(_ bytes: UnsafeRawBufferPointer) {
    var rest = unsafe bytes[...]
    while unsafe !rest.isEmpty {
      let block = unsafe UnsafeRawBufferPointer(rebasing: rest)
      let written = unsafe systemWrite(block.baseAddress, block.count)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { return }
      unsafe rest = rest.dropFirst(written)
    }
  }
}

/// What tells one thread from another.
private struct ThreadNumber: Equatable, Sendable {
  private let number: UInt

  init() {
    // SAFETY: the bits are compared, never looked through.
    #if os(Linux) && !canImport(Musl)
      number = UInt(pthread_self())
    #else
      number = unsafe UInt(bitPattern: pthread_self())
    #endif
  }
}

/// Memory set aside for the way out.
@safe
private struct Reserve: @unchecked Sendable {
  private static let byteCount = 4 << 20
  private let block: UnsafeMutableRawPointer?

  init() {
    // SAFETY: an anonymous private mapping touches no memory in use.
    let mapped = unsafe mmap(nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    unsafe block = mapped == MAP_FAILED ? nil : mapped
  }

  func free() {
    // SAFETY: mapped by this value with this size; nothing refers to it.
    if let block = unsafe block { unsafe munmap(block, Self.byteCount) }
  }
}

private func systemWrite(_ start: UnsafeRawPointer?, _ count: Int) -> Int {
  unsafe write(STDERR_FILENO, start, count)
}
