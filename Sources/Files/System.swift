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

/// What the system refused to do with a file, and why.
public struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file or folder, as the caller gave it.
  public let path: String
  /// The verb: "open", "map", "write".
  public let operation: String
  /// The system's reason, such as "No such file or directory".
  public let reason: String

  /// For failures that are not a system call's own.
  public init(path: String, operation: String, reason: String) {
    self.path = path
    self.operation = operation
    self.reason = reason
  }

  /// The failure of the system call just made.
  static func last(path: String, operation: String) -> FileError {
    FileError(path: path, operation: operation, reason: systemReason())
  }

  public var description: String { "\(path): cannot \(operation): \(reason)" }
}
