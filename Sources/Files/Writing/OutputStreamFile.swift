import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A new file inside a folder of this program's own, written front to back.
public final class OutputStreamFile: Sendable {
  private let descriptor: Mutex<Int32>

  /// Makes the file, or empties it.
  ///
  /// - Throws: ``OutputError``, as all that follows.
  public init(path: String) throws(OutputError) {
    let opened = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard opened >= 0 else { throw OutputError(systemReason()) }
    descriptor = Mutex(opened)
  }

  deinit { try? close() }

  /// Appends the bytes.
  public func write(_ bytes: Span<UInt8>) throws(OutputError) {
    let descriptor = descriptor.withLock { $0 }
    var start = 0
    while start < bytes.count {
      switch Descriptor.write(bytes.extracting(start...), to: descriptor) {
      case .wrote(let count): start += count
      case .full: throw OutputError("the disk did not take it all")
      case .failed(let code): throw OutputError("the disk did not take it all: \(systemReason(code))")
      }
    }
  }

  /// Ends the writing. Does nothing the second time.
  public func close() throws(OutputError) {
    let taken = descriptor.withLock { descriptor in
      defer { descriptor = -1 }
      return descriptor
    }
    guard taken < 0 || systemClose(taken) == 0 else {
      throw OutputError("the disk did not take it all: \(systemReason())")
    }
  }
}

/// The system's close, which a method of the same name hides.
private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
