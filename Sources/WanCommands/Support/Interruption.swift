import Dispatch
import Foundation

/// Runs a task that Ctrl-C, SIGTERM and a closed terminal cancel, so that it can leave nothing behind.
///
/// A second signal of the same kind ends the process at once.
func interruptible<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
  let task = Task { try await body() }
  let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
      signal(number, SIG_DFL)
      task.cancel()
    }
    source.resume()
    return source
  }
  defer { for source in sources { source.cancel() } }
  return try await task.value
}
