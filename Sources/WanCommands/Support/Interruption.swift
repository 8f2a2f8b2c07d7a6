import Dispatch
import Files
import Foundation
import Synchronization

/// Runs a task that Ctrl-C, SIGTERM and a closed terminal cancel, so that it can leave nothing behind.
///
/// The task begins when every signal is listened for; until then a signal ends the process as usual. A second signal
/// ends it at once, and takes away what is unfinished. A signal that was ignored when the program started (`nohup`, a
/// shell's background job) stays ignored.
func interruptible<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
  let signals = [SIGINT, SIGTERM, SIGHUP].filter { !Signals.isIgnored($0) }
  let (listening, listens) = AsyncStream<Void>.makeStream()
  let task = Task {
    var missing = signals.count
    if missing > 0 {
      for await _ in listening {
        missing -= 1
        if missing == 0 { break }
      }
    }
    try Task.checkCancellation()
    return try await body()
  }
  let seen = Flag()
  let sources = signals.map { number in
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
      if seen.raise() {
        Leftovers.removeAll()
        Signals.endProcess(by: number)
      }
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

/// Something that happens once.
private final class Flag: Sendable {
  private let value = Atomic(false)

  /// - Returns: whether it was up before.
  func raise() -> Bool { value.exchange(true, ordering: .relaxed) }
}
