import CKernels
import COneDNN
import Synchronization
import Tensors

/// The threads of a backend: one parallel loop at a time, oneDNN alone on each of them.
///
/// `@unchecked Sendable`: the C pool takes turns by itself, and a worker is touched only by the thread it stands for.
@safe
final class Threads: @unchecked Sendable {
  /// oneDNN's processor; it holds no threads and no memory, and lives as long as the process.
  // SAFETY: an engine is immutable.
  nonisolated(unsafe) private static let processor: OpaquePointer? = {
    wan_dnn_run_sequentially()
    return unsafe wan_dnn_engine_create()
  }()

  let engine: OpaquePointer
  private let pool: OpaquePointer
  private let workers: [Worker]
  private let kernels: wan_isa_t

  init(count: Int, instructionSet: InstructionSet) {
    kernels = instructionSet.kernels
    // oneDNN has a processor engine on every machine; it lacks one for want of memory.
    guard let engine = unsafe Threads.processor else { MemoryExhaustion.end() }
    let start: @convention(c) () -> Void = { wan_dnn_run_sequentially() }
    // SAFETY: made here, destroyed in deinit.
    guard let pool = unsafe wan_pool_create(count, start) else { MemoryExhaustion.end() }
    unsafe self.engine = engine
    unsafe self.pool = pool
    let engineOfWorkers = unsafe engine
    workers = unsafe (0..<max(1, wan_pool_threads(pool))).map { _ in unsafe Worker(engine: engineOfWorkers) }
  }

  deinit {
    // SAFETY: no loop runs any more.
    unsafe wan_pool_destroy(pool)
  }

  var count: Int { workers.count }

  /// Calls `body` for each index below `count`, once, on any thread; returns when all are done.
  ///
  /// Not to be called from inside `body`.
  func run(_ count: Int, _ body: (_ index: Int, _ worker: Worker) -> Void) {
    guard count > 0 else { return }
    // The calling thread works too, and is a new one at any time.
    wan_dnn_run_sequentially()
    withoutActuallyEscaping(body) { body in
      var loop = Loop(body: body, workers: workers, kernels: kernels)
      // SAFETY: the pool is done with the loop when the call returns.
      unsafe withUnsafeMutablePointer(to: &loop) { context in
        unsafe wan_pool_run(
          pool, count,
          { context, index, worker in
            guard let loop = unsafe context?.assumingMemoryBound(to: Loop.self) else { return }
            wan_isa_limit(unsafe loop.pointee.kernels)
            unsafe loop.pointee.body(index, loop.pointee.workers[worker])
          }, context)
      }
    }
    // The calling thread may work for another backend next.
    wan_isa_limit(InstructionSet.detected.kernels)
  }

  /// Calls `body` on the calling thread, its kernels on this backend's instruction set.
  func withInstructionSet<R>(_ body: () -> R) -> R {
    wan_isa_limit(kernels)
    defer { wan_isa_limit(InstructionSet.detected.kernels) }
    return body()
  }

  /// Cuts `count` items into pieces of `grain`, which must not depend on the number of threads.
  func run(_ count: Int, grain: Int, _ body: (_ range: Range<Int>, _ worker: Worker) -> Void) {
    let grain = max(1, grain)
    run((count + grain - 1) / grain) { index, worker in
      body(index * grain..<min(count, (index + 1) * grain), worker)
    }
  }

  /// Gives the workers' scratch memory back; no loop may be running.
  func trim() {
    // A loop of one index runs on the calling thread while every other loop waits.
    run(1) { _, _ in workers.forEach { $0.trim() } }
  }

  private struct Loop {
    let body: (Int, Worker) -> Void
    let workers: [Worker]
    let kernels: wan_isa_t
  }
}
