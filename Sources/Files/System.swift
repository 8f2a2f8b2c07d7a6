#if canImport(Darwin)
  public import Darwin
#elseif canImport(Musl)
  public import Musl
#else
  public import Glibc
#endif

/// The system's words for an error number, such as "No space left on device".
public func systemReason(_ code: Int32 = errno) -> String {
  // SAFETY: strerror gives a terminated string, copied here.
  let reason = unsafe strerror(code).map { unsafe String(cString: $0) }
  return reason ?? "error \(code)"
}

/// Does a system call again for as long as a signal interrupts it; the result of the last attempt.
func retrying(_ call: () -> Int) -> Int {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}
