import CPUBackend
import Foundation
import Tensors

/// What the system must allow the process before it starts on something: threads and open files.
///
/// Libraries underneath trap without a descriptor, and wait for ever for a thread that never comes; so both are asked
/// for once, before anything begins.
struct ProcessLimits {
  /// Files open at a time beside those that are.
  let descriptors: Int
  /// Threads beside the present one; a backend makes do with as many as it gets.
  let threads: Int

  /// What every command takes.
  static let command = ProcessLimits(descriptors: 8, threads: 3)
  /// What it takes to run ffmpeg as well: pipes, and threads that wait for it.
  static let encoder = ProcessLimits(descriptors: 24, threads: 6)

  /// - Throws: ``CommandError`` naming the limit and what raises it.
  func check() throws {
    let free = Self.freeDescriptors(upTo: descriptors)
    guard free == descriptors else {
      throw CommandError(
        "this process may open \(free) more files, and needs \(descriptors); raise the limit with 'ulimit -n'")
    }
    let given = CPUBackend.threadsGiven(upTo: threads + 1) - 1
    guard given == threads else {
      throw CommandError(
        "the system gives this process \(given) more threads, and it needs \(threads); raise the limit with "
          + "'ulimit -u', the control group's pids.max, or the one on memory with 'ulimit -v'")
    }
  }

  /// Raises the limit on open files as far as anybody may.
  static func prepare() {
    #if canImport(Glibc)
      let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let files = RLIMIT_NOFILE
    #endif
    var limit = rlimit()
    // SAFETY: the calls read and write the structure that is passed.
    if unsafe getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, 4096))
      _ = unsafe setrlimit(files, &limit)
    }
  }

  private static func freeDescriptors(upTo count: Int) -> Int {
    var opened: [Int32] = []
    defer { for descriptor in opened { close(descriptor) } }
    while opened.count < count {
      let descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { break }
      opened.append(descriptor)
    }
    return opened.count
  }
}
