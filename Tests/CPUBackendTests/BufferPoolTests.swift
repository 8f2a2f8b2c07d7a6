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

  @Test("keeps what a step used for the next one, however much that was")
  func steps() {
    let pool = BufferPool(limit: 0)
    let sizes = [3 << 20, 5 << 20, 2 << 20].map(BufferPool.blockSize)
    for _ in 0..<3 {
      for size in sizes { _ = pool.storage(byteCount: size) }
      withExtendedLifetime(sizes.map(pool.storage)) { #expect(pool.idleBytes == 0) }
      #expect(pool.idleBytes == sizes.reduce(0, +))
    }
  }

  @Test("holds at most its limit more than was in use at one time since the last trim; the longest idle go first")
  func limit() {
    let (limit, sizes) = (1 << 20, [8 << 20, 512 << 10, 384 << 10, 12 << 20, 256 << 10, 9 << 20])
    let pool = BufferPool(limit: limit)
    var generator = SystemRandomNumberGenerator()
    for round in 0..<4 {
      var (kept, high): ([Storage], Int) = ([], 0)
      for _ in 0..<40 {
        kept.append(pool.storage(byteCount: sizes.randomElement(using: &generator) ?? 0))
        high = max(high, pool.used.present)
        if kept.count > 3 || Bool.random(using: &generator) {
          kept.remove(at: Int.random(in: kept.indices, using: &generator))
        }
        #expect(pool.used.present + pool.idleBytes <= high + limit, "round \(round)")
      }
      kept = []
      pool.trim()
    }
    _ = pool.storage(byteCount: 8 << 20)
    withExtendedLifetime(pool.storage(byteCount: 6 << 20)) { #expect(pool.idleBytes == 0) }
    #expect(pool.idleBytes == 6 << 20)
  }
}
