import Foundation
import Tensors
import Testing

/// What a process does when it gets no more memory; each test in a process of its own.
struct MemoryExhaustionTests {
  @Test("a tensor that does not fit ends the process with a sentence and status 1")
  func sentence() async throws {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([1 << 20, 1 << 35], dtype: .u8)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.hasPrefix("Error: the system gives no more memory (36028797018963968 bytes were wanted); "))
    #expect(text.split(separator: "\n").count == 1)
  }

  @Test("a handler is told what was wanted, and ends the process in its own way")
  func handler() async throws {
    await #expect(processExitsWith: .exitCode(7)) {
      MemoryExhaustion.install { count in
        _exit(count == 1 << 55 ? 7 : 8)
      }
      _ = Tensor.zeros([1 << 20, 1 << 35], dtype: .u8)
    }
  }

  @Test("the reserve is free when the handler runs, so that it can ask for memory under a limit")
  func reserve() async throws {
    await #expect(processExitsWith: .exitCode(7)) {
      MemoryExhaustion.install { _ in
        let block = unsafe mmap(nil, 3 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
        _exit(unsafe block == MAP_FAILED ? 8 : 7)
      }
      // Address space is taken away until not even a megabyte is left.
      var size = 1 << 46
      while size >= 1 << 20 {
        if unsafe mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0) == MAP_FAILED { size /= 2 }
      }
      MemoryExhaustion.end()
    }
  }

  @Test("a handler that runs out of memory itself ends the process at once")
  func inHandler() async throws {
    await #expect(processExitsWith: .exitCode(1)) {
      MemoryExhaustion.install { _ in MemoryExhaustion.end() }
      MemoryExhaustion.end()
    }
  }

  @Test("of two threads that run out at once, one puts things away and the other waits for it")
  func twoThreads() async throws {
    await #expect(processExitsWith: .exitCode(7)) {
      MemoryExhaustion.install { _ in
        usleep(300_000)
        _exit(7)
      }
      for _ in 0..<2 { Thread.detachNewThread { MemoryExhaustion.end() } }
      sleep(30)
    }
  }
}
