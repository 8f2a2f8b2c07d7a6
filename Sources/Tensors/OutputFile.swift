#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file that appears under its name only when it is complete.
///
/// Bytes go to a temporary beside the target; ``commit()`` renames it. Dropped before that, the temporary is removed.
public final class OutputFile {
  /// The name that the complete file takes.
  public let path: String
  /// Where the bytes lie until then: beside the target, told apart by the process's number.
  public let temporaryPath: String
  private var descriptor: Int32
  private var isPending = true

  /// Starts a file that will replace whatever is at `path`.
  public init(path: String) throws(FileError) {
    self.path = path
    temporaryPath = "\(path).\(getpid()).partial"
    descriptor = unsafe open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    if descriptor < 0 {
      isPending = false
      throw .last(path: path, operation: "create")
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if isPending { _ = unsafe unlink(temporaryPath) }
  }

  /// Appends the bytes.
  public func write(_ bytes: Span<UInt8>) throws(FileError) {
    precondition(descriptor >= 0, "\(path) is closed")
    // SAFETY: each write starts inside the span and ends at most at its end.
    let failure: FileError? = unsafe bytes.withUnsafeBytes { buffer in
      var rest = unsafe buffer[...]
      while unsafe !rest.isEmpty {
        let block = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
        let written = unsafe systemWrite(descriptor, block.baseAddress, block.count)
        if written < 0 && errno == EINTR { continue }
        if written <= 0 { return FileError.last(path: path, operation: "write") }
        unsafe rest = rest.dropFirst(written)
      }
      return nil
    }
    if let failure { throw failure }
  }

  /// Ends the writing; the file is whole, under its temporary name.
  public func finish() throws(FileError) {
    guard descriptor >= 0 else { return }
    defer { descriptor = -1 }
    guard close(descriptor) == 0 else { throw .last(path: path, operation: "write") }
  }

  /// Ends the writing and gives the file its name.
  public func commit() throws(FileError) {
    try finish()
    guard unsafe rename(temporaryPath, path) == 0 else { throw .last(path: path, operation: "rename to") }
    isPending = false
  }
}

/// The system's write, which a method of the same name hides inside ``OutputFile``.
private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
  unsafe write(descriptor, start, count)
}
