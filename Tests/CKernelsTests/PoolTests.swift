import CKernels
import Dispatch
import Foundation
import Testing

/// A pool and a loop that counts how often each index was run.
@safe final class Pool: @unchecked Sendable {
  private let handle: OpaquePointer

  init(threads: Int) throws {
    unsafe handle = try #require(unsafe wan_pool_create(threads, nil))
  }

  deinit { unsafe wan_pool_destroy(handle) }

  var threads: Int { unsafe wan_pool_threads(handle) }

  /// How often each of `count` indices ran, and the highest worker seen by it.
  func counts(_ count: Int) -> [SIMD2<Int32>] {
    var visits = [SIMD2<Int32>](repeating: [0, 0], count: count)
    unsafe visits.withUnsafeMutableBytes { memory in
      unsafe wan_pool_run(
        handle, count,
        { context, index, worker in
          let visits = unsafe context?.assumingMemoryBound(to: SIMD2<Int32>.self)
          unsafe visits?[index] &+= SIMD2(1, Int32(worker))
        }, memory.baseAddress)
    }
    return visits
  }
}

extension KernelTests {
  @Suite("Pool") struct PoolSuite {
    #if os(Linux)
      @Test("makes do with the threads that the system gives") func fewer() async {
        await #expect(processExitsWith: .success) {
          let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
          let taken = (pages.first.flatMap { UInt($0) } ?? 0) * UInt(getpagesize())
          // Room for the stacks of some threads, not of two hundred.
          var limit = rlimit(rlim_cur: taken + (64 << 20), rlim_max: taken + (64 << 20))
          unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
          let pool = try Pool(threads: 200)
          guard (1..<200).contains(pool.threads), pool.counts(500).allSatisfy({ $0[0] == 1 }) else { exit(3) }
        }
      }
    #endif

    @Test("runs every index once in ten thousand small loops", arguments: 1...4) func stress(threads: Int) throws {
      let pool = try Pool(threads: threads)
      #expect(pool.threads == threads)
      for loop in 0..<10_000 {
        let visits = pool.counts(loop % 9)
        if !visits.allSatisfy({ $0[0] == 1 && $0[1] < Int32(threads) }) {
          Issue.record("loop \(loop): \(visits)")
          return
        }
      }
    }

    @Test("callers on several threads take turns") func callers() throws {
      let pool = try Pool(threads: 3)
      let good = (0..<4).map { _ in Flag() }
      DispatchQueue.concurrentPerform(iterations: 4) { caller in
        for loop in 0..<500 where !pool.counts(1 + loop % 40).allSatisfy({ $0[0] == 1 }) { good[caller].clear() }
      }
      #expect(good.allSatisfy { $0.isSet })
    }

    @Test("is made and unmade many times") func lifetimes() throws {
      for threads in 1...40 { #expect(try Pool(threads: 1 + threads % 5).counts(threads).allSatisfy { $0[0] == 1 }) }
    }
  }
}

/// Written by one thread, read after it has ended.
private final class Flag: @unchecked Sendable {
  private(set) var isSet = true
  func clear() { isSet = false }
}
