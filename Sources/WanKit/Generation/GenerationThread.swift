import Dispatch

/// A thread of its own for the long computations of a run, so that they never hold a thread of the shared pool.
final class GenerationThread: TaskExecutor {
  private let queue = DispatchQueue(label: "wan.generation", qos: .userInitiated)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // The job is run once, by the queue, as the protocol asks.
    queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
