import Dispatch
import Foundation

/// Runs a task that Ctrl-C, SIGTERM and a closed terminal cancel, so that it can leave nothing behind.
///
/// The task begins when every signal is listened for; until then a signal ends the process as usual. A second signal
/// of the same kind ends it at once.
func interruptible<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
  let signals = [SIGINT, SIGTERM, SIGHUP]
  let (listening, listens) = AsyncStream<Void>.makeStream()
  let task = Task {
    var missing = signals.count
    for await _ in listening {
      missing -= 1
      if missing == 0 { break }
    }
    try Task.checkCancellation()
    return try await body()
  }
  let sources = signals.map { number in
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
      signal(number, SIG_DFL)
      task.cancel()
    }
    source.setRegistrationHandler {
      // Ignored only now that it is listened for, so that none is lost between; elsewhere listening does that.
      #if canImport(Darwin)
        signal(number, SIG_IGN)
      #endif
      listens.yield()
    }
    source.resume()
    return source
  }
  defer { for source in sources { source.cancel() } }
  return try await task.value
}
