import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Text for somebody who may have stopped listening: what cannot be written is dropped, and the program goes on.
///
/// A result is another thing: ``deliver(_:)`` waits for its reader.
///
/// A reader that is slow is waited for, ``patience`` in all; one that never reads again costs that once, then its text
/// is dropped until it reads.
public final class TextStream: Sendable {
  private struct State {
    var patience: Int
    /// Whether the last text was cut in the middle of a line.
    var isCut = false
    var failure: Int32?
  }

  /// Standard output.
  public static let output = TextStream(1)
  /// Standard error.
  public static let errors = TextStream(2)

  /// Milliseconds that a reader may keep the program waiting.
  public static let patience = 2000
  /// A pipe that can be written to takes this much without waiting.
  private static let piece = 512

  private let descriptor: Int32
  /// Where the text goes: for a terminal a descriptor of its own that never waits, since a terminal calls itself ready
  /// when it has room for a single byte.
  private let sink: Int32
  private let state: Mutex<State>

  /// - Parameter patience: milliseconds that the reader may keep the program waiting.
  public init(_ descriptor: Int32, patience: Int = TextStream.patience) {
    self.descriptor = descriptor
    sink = Self.terminal(descriptor) ?? descriptor
    state = Mutex(State(patience: patience))
  }

  private static func terminal(_ descriptor: Int32) -> Int32? {
    guard isatty(descriptor) == 1 else { return nil }
    #if canImport(Darwin)
      // SAFETY: the name is terminated, and copied here.
      guard let name = unsafe ttyname(descriptor).map({ unsafe String(cString: $0) }) else { return nil }
    #else
      let name = "/proc/self/fd/\(descriptor)"
    #endif
    let opened = unsafe open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    return opened >= 0 ? opened : nil
  }

  /// Whether somebody watches.
  public var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Columns of the terminal; `nil` where there is none or it does not say.
  public var columns: Int? { extents?.columns }

  /// Columns and rows of the terminal, and its pixels, which are 0 where it does not say; `nil` where there is none.
  public var extents: (columns: Int, rows: Int, width: Int, height: Int)? {
    var size = winsize()
    // SAFETY: the call fills the structure that its request names.
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return (Int(size.ws_col), Int(size.ws_row), Int(size.ws_xpixel), Int(size.ws_ypixel))
  }

  /// Why something was dropped; `nil` while all was written.
  public var failure: String? { state.withLock { $0.failure }.map { systemReason($0) } }

  /// Writes the text, or drops it, or what is left of it.
  public func write(_ text: String) { write(text, isPatient: false) }

  /// Writes a result, for as long as its reader takes; it is dropped only when nobody is there any more.
  public func deliver(_ text: String) { write(text, isPatient: true) }

  private func write(_ text: String, isPatient: Bool) {
    state.withLock { state in
      let bytes = Array(((state.isCut ? "\n" : "") + text).utf8)
      var start = 0
      while start < bytes.count {
        let end = min(start + Self.piece, bytes.count)
        guard let count = write(bytes.span.extracting(start..<end), &state, isPatient) else { break }
        start += count
      }
      state.isCut = start < bytes.count && (start > 0 ? bytes[start - 1] != UInt8(ascii: "\n") : state.isCut)
    }
  }

  /// Bytes taken; `nil` when the rest is to be dropped.
  private func write(_ bytes: Span<UInt8>, _ state: inout State, _ isPatient: Bool) -> Int? {
    while true {
      guard isPatient || isReady(&state) else {
        state.failure = EAGAIN
        return nil
      }
      if isPatient { _ = Descriptor.waitUntilWritable(sink, milliseconds: -1) }
      switch Descriptor.write(bytes, to: sink) {
      case .wrote(let count): return count
      // Taken by another writer in between, or less room than there seemed to be.
      case .full where isPatient || state.patience > 0:
        state.patience -= isPatient ? 0 : 1
        usleep(1000)
      case .full:
        state.failure = EAGAIN
        return nil
      case .failed(let code):
        state.failure = code
        return nil
      }
    }
  }

  /// Whether the reader takes text, within the patience that is left.
  private func isReady(_ state: inout State) -> Bool {
    let started = ContinuousClock.now
    let isReady = Descriptor.waitUntilWritable(sink, milliseconds: max(state.patience, 0))
    // A wait that gave nothing counts too, so that a reader of single bytes does not hold the program for ever.
    state.patience -= max(isReady ? 0 : 1, Int((ContinuousClock.now - started) / .milliseconds(1)))
    return isReady
  }
}
