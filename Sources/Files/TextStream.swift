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
  private let state: Mutex<State>

  /// - Parameter patience: milliseconds that the reader may keep the program waiting.
  public init(_ descriptor: Int32, patience: Int = TextStream.patience) {
    self.descriptor = descriptor
    state = Mutex(State(patience: patience))
  }

  /// Whether somebody watches.
  public var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Columns of the terminal; `nil` where there is none or it does not say.
  public var columns: Int? {
    var size = winsize()
    // SAFETY: the call fills the structure that its request names.
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Why something was dropped; `nil` while all was written.
  public var failure: String? { state.withLock { $0.failure }.map { systemReason($0) } }

  /// Writes the text, or drops it, or what is left of it.
  public func write(_ text: String) {
    state.withLock { state in
      let bytes = Array(((state.isCut ? "\n" : "") + text).utf8)
      var start = 0
      while start < bytes.count {
        let end = min(start + Self.piece, bytes.count)
        guard let count = write(bytes.span.extracting(start..<end), &state) else { break }
        start += count
      }
      state.isCut = start < bytes.count && (start > 0 ? bytes[start - 1] != UInt8(ascii: "\n") : state.isCut)
    }
  }

  /// Bytes taken; `nil` when the rest is to be dropped.
  private func write(_ bytes: Span<UInt8>, _ state: inout State) -> Int? {
    while true {
      let started = ContinuousClock.now
      let isReady = Descriptor.waitUntilWritable(descriptor, milliseconds: state.patience)
      let waited = (ContinuousClock.now - started) / .milliseconds(1)
      state.patience = max(0, state.patience - Int(waited))
      guard isReady else {
        state.failure = EAGAIN
        return nil
      }
      switch Descriptor.write(bytes, to: descriptor) {
      case .wrote(let count): return count
      // Taken by another writer in between.
      case .full where state.patience > 0: continue
      case .full:
        state.failure = EAGAIN
        return nil
      case .failed(let code):
        state.failure = code
        return nil
      }
    }
  }
}
