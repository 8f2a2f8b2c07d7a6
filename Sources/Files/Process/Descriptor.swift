#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Writing to what may have gone away.
public enum Descriptor {
  /// What became of a write.
  public enum Outcome: Sendable, Hashable {
    /// So many bytes were taken, at least one.
    case wrote(Int)
    /// Nothing fits now.
    case full
    /// Nothing ever will; the system's error number.
    case failed(Int32)
  }

  /// Writes what fits, once. A reader that is gone gives `failed(EPIPE)`, a file that may grow no more (`ulimit -f`)
  /// `failed(EFBIG)`, and the signals that come with them end nothing: they are held back for this thread during the
  /// call, and taken back if the call raised them.
  public static func write(_ bytes: Span<UInt8>, to descriptor: Int32) -> Outcome {
    withoutSignals {
      // SAFETY: the span's bytes live during the call, which reads no more than their count.
      let count = retrying { unsafe bytes.withUnsafeBytes { unsafe systemWrite(descriptor, $0.baseAddress, $0.count) } }
      if count > 0 || bytes.isEmpty { return .wrote(max(count, 0)) }
      return errno == EAGAIN || errno == EWOULDBLOCK || count == 0 ? .full : .failed(errno)
    }
  }

  /// Writes all bytes to a file.
  ///
  /// - Throws: what the system says, of the file at `path`.
  static func writeAll(_ bytes: Span<UInt8>, to descriptor: Int32, path: String) throws(FileError) {
    var start = 0
    while start < bytes.count {
      switch write(bytes.extracting(start...), to: descriptor) {
      case .wrote(let count): start += count
      case .full: throw FileError(path: path, operation: "write", reason: "it takes no more")
      case .failed(let code): throw FileError(path: path, operation: "write", reason: systemReason(code))
      }
    }
  }

  /// Reads what is there, at most as much as the block takes.
  ///
  /// - Returns: how many bytes were read: 0 at the end.
  /// - Throws: ``OutputError`` with the system's reason.
  public static func read(_ descriptor: Int32, into block: inout [UInt8]) throws(OutputError) -> Int {
    // SAFETY: at most as many bytes are read as the block has.
    let count = retrying { unsafe block.withUnsafeMutableBytes { unsafe systemRead(descriptor, $0) } }
    guard count >= 0 else { throw OutputError(systemReason()) }
    return count
  }

  /// All that is there.
  ///
  /// - Parameter isCancelled: asked several times a second while nothing comes.
  /// - Throws: ``OutputError``, also for more than `limit` bytes, and when it was cancelled.
  public static func readToEnd(
    _ descriptor: Int32, limit: Int, isCancelled: () -> Bool = { false }
  ) throws(OutputError) -> [UInt8] {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      while !wait(for: POLLIN, descriptor, milliseconds: 100) {
        if isCancelled() { throw OutputError("it was cancelled") }
      }
      let count = try read(descriptor, into: &block)
      if count == 0 { return bytes }
      guard count <= limit - bytes.count else { throw OutputError("it has more than \(limit) bytes") }
      bytes += block[..<count]
    }
  }

  /// Why nothing can be written there, as far as that is known without writing; `nil` where it can be tried.
  public static func refusal(of descriptor: Int32) -> String? {
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0 else { return systemReason() }
    guard flags & O_ACCMODE != O_RDONLY else { return systemReason(EBADF) }
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    guard unsafe poll(&request, 1, 0) >= 0 else { return systemReason() }
    return Int32(request.revents) & (POLLERR | POLLHUP | POLLNVAL) == 0 ? nil : systemReason(EPIPE)
  }

  /// Waits until the descriptor takes bytes, or has failed, for at most so long.
  public static func waitUntilWritable(_ descriptor: Int32, milliseconds: Int) -> Bool {
    wait(for: POLLOUT, descriptor, milliseconds: milliseconds)
  }

  /// Whether reading returns at once: bytes are there, or the end is.
  public static func isReadable(_ descriptor: Int32) -> Bool { wait(for: POLLIN, descriptor, milliseconds: 0) }

  private static func wait(for event: Int32, _ descriptor: Int32, milliseconds: Int) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    return unsafe poll(&request, 1, Int32(milliseconds)) > 0
  }

  /// Lets a pipe hold so many bytes, where the system allows it: its reader is then woken less often.
  public static func setPipeSize(_ descriptor: Int32, _ bytes: Int) {
    #if os(Linux)
      // F_SETPIPE_SZ, which Glibc's module leaves out.
      _ = fcntl(descriptor, 1031, Int32(bytes))
    #endif
  }

  /// Whether a write returns rather than waits.
  public static func setNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
  }

  /// Another descriptor of the same pipe whose writes return rather than wait; `nil` where the system gives none. It stays
  /// open as long as the program.
  public static func reopenedWithoutWaiting(_ descriptor: Int32) -> Int32? {
    #if os(Linux)
      let opened = unsafe open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
      return opened >= 0 ? opened : nil
    #else
      return nil
    #endif
  }

  /// Keeps a descriptor from the programs that this one starts.
  public static func closeOnExecution(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  /// Opens what stands in for standard streams that are closed, so that no file of the program becomes one of them:
  /// reading finds an end, writing fails.
  public static func fillStandardStreams() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is taken, which is this one.
      _ = unsafe open("/dev/null", O_RDONLY)
    }
  }

  private static func withoutSignals(_ body: () -> Outcome) -> Outcome {
    var (raised, before, pending) = (sigset_t(), sigset_t(), sigset_t())
    // SAFETY: the sets are this function's own, and the calls read and write them during the call only.
    unsafe sigemptyset(&raised)
    unsafe sigaddset(&raised, SIGPIPE)
    unsafe sigaddset(&raised, SIGXFSZ)
    unsafe sigpending(&pending)
    let wasPending = unsafe sigismember(&pending, SIGPIPE) == 1 || sigismember(&pending, SIGXFSZ) == 1
    unsafe pthread_sigmask(SIG_BLOCK, &raised, &before)
    let outcome = body()
    if outcome == .failed(EPIPE) || outcome == .failed(EFBIG), !wasPending { takeBack(&raised) }
    unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    return outcome
  }

  /// Takes the signal that is pending for this thread.
  private static func takeBack(_ signals: inout sigset_t) {
    #if canImport(Darwin)
      // The write has raised it for this thread, so that this does not wait.
      var taken: Int32 = 0
      _ = unsafe sigwait(&signals, &taken)
    #else
      var now = timespec(tv_sec: 0, tv_nsec: 0)
      _ = unsafe sigtimedwait(&signals, nil, &now)
    #endif
  }
}

/// The system's write, which a function of the same name hides inside ``Descriptor``.
private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
  unsafe write(descriptor, start, count)
}

/// The system's read, likewise.
private func systemRead(_ descriptor: Int32, _ block: UnsafeMutableRawBufferPointer) -> Int {
  guard let start = block.baseAddress else { return 0 }
  return unsafe read(descriptor, start, block.count)
}
