import Tensors
import Testing

@testable import CPUBackend

struct BufferPoolTests {
  @Test("gives blocks at most an eighth larger than asked, in multiples of 64 bytes")
  func sizes() {
    for wanted in [0, 1, 63, 64, 65, 1000, 4097, 1 << 20, (1 << 20) + 1, 123_456_789] {
      let size = BufferPool.blockSize(for: wanted)
      #expect(size >= wanted && size % 64 == 0)
      #expect(size <= max(wanted + wanted / 8 + 1, wanted + 64))
      #expect(BufferPool.blockSize(for: size) == size)
    }
  }

  @Test("gives a freed block out again, and none after a trim")
  func reuse() {
    let pool = BufferPool(limit: 1 << 22)
    for size in [100, 3 << 20] {
      _ = pool.storage(byteCount: size)
      #expect(pool.idleBytes == BufferPool.blockSize(for: size))
      withExtendedLifetime(pool.storage(byteCount: size)) {
        #expect(pool.idleBytes == 0)
      }
      pool.trim()
    }
    _ = pool.storage(byteCount: 5000)
    pool.trim()
    #expect(pool.idleBytes == 0)
  }

  @Test("counts what is in use, and the most since it was asked to begin again")
  func used() {
    let pool = BufferPool(limit: 1 << 20)
    let sizes = [100, 70_000, 3 << 20].map(BufferPool.blockSize)
    let first = pool.storage(byteCount: sizes[0])
    withExtendedLifetime(pool.storage(byteCount: sizes[2])) {
      #expect(pool.used == (sizes[0] + sizes[2], sizes[0] + sizes[2]))
    }
    #expect(pool.used == (sizes[0], sizes[0] + sizes[2]))
    pool.trim()
    pool.restartPeak()
    _ = pool.storage(byteCount: sizes[1])
    #expect(pool.used == (sizes[0], sizes[0] + sizes[1]))
    withExtendedLifetime(first) {}
  }

  @Test("keeps no more than its limit, the latest first")
  func limit() {
    let pool = BufferPool(limit: 1 << 20)
    for size in [512 << 10, 384 << 10, 256 << 10, 8 << 20] {
      _ = pool.storage(byteCount: size)
      #expect(pool.idleBytes <= 1 << 20)
    }
  }
}
