import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Makes a named pipe: a program that opens it to read waits for a writer, and there is none.
public func makePipe(at path: String) throws {
  try? FileManager.default.removeItem(atPath: path)
  guard unsafe mkfifo(path, 0o600) == 0 else { throw CocoaError(.fileWriteUnknown) }
}

/// Seconds that the processor worked on `body`, however many others it works for meanwhile.
///
/// - Parameter body: stays on the thread that calls it.
public func processorSeconds(_ body: () throws -> Void) rethrows -> Double {
  func now() -> Double {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
  let start = now()
  try body()
  return now() - start
}
