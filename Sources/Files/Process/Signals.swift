#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What the process does about the signals that end it.
public enum Signals {
  /// Whether the process was started with the signal ignored, as `nohup` and a shell's background jobs do, and should
  /// leave it so.
  public static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    // SAFETY: the call fills the structure; without a handler of three arguments the other form is the valid one.
    guard unsafe sigaction(number, nil, &action) == 0 else { return false }
    #if canImport(Darwin)
      let handler = unsafe action.__sigaction_u.__sa_handler
    #else
      let handler = unsafe action.__sigaction_handler.sa_handler
    #endif
    // SAFETY: SIG_IGN is no function but the number 1 in the shape of one; the bits alone are compared.
    return unsafe unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Ends the process by the signal, so that its parent sees that, or with the status that stands for it.
  public static func endProcess(by number: Int32) -> Never {
    signal(number, SIG_DFL)
    var set = sigset_t()
    // SAFETY: the set is this function's own.
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, number)
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(number)
    _exit(128 + number)
  }
}
