#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

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
    let code = errno
    // SAFETY: strerror gives a terminated string, copied here.
    let reason = unsafe strerror(code).map { unsafe String(cString: $0) }
    return FileError(path: path, operation: operation, reason: reason ?? "error \(code)")
  }

  public var description: String { "\(path): cannot \(operation): \(reason)" }
}
