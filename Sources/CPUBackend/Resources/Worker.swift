import COneDNN
import Tensors

/// What one thread of the pool has for itself: a oneDNN stream and scratch memory that grows to the largest request.
@safe
final class Worker {
  let stream: OpaquePointer
  private var block: UnsafeMutableRawPointer
  private var byteCount: Int

  init(engine: OpaquePointer) {
    // SAFETY: the engine is alive as long as the threads that own these workers.
    // A stream of the processor is a small object: it is refused for want of memory only.
    guard let stream = unsafe wan_dnn_stream_create(engine) else { MemoryExhaustion.end() }
    unsafe self.stream = stream
    byteCount = Memory.alignment
    unsafe block = Memory.allocate(byteCount)
  }

  deinit {
    // SAFETY: both are this object's own.
    unsafe wan_dnn_stream_destroy(stream)
    unsafe Memory.free(block, byteCount)
  }

  /// Memory for the running task, on a 64-byte boundary, of any content; a second call takes the first one's away.
  @unsafe
  func scratch(_ wanted: Int) -> UnsafeMutableRawPointer {
    if wanted > byteCount {
      let size = BufferPool.blockSize(for: wanted)
      unsafe Memory.free(block, byteCount)
      unsafe block = Memory.allocate(size)
      byteCount = size
    }
    return unsafe block
  }

  /// Memory in several parts, each on a 64-byte boundary.
  @unsafe
  func scratch(_ parts: [Int]) -> [UnsafeMutableRawPointer] {
    var offsets: [Int] = []
    var total = 0
    for part in parts {
      offsets.append(total)
      total += (part + Memory.alignment - 1) / Memory.alignment * Memory.alignment
    }
    let base = unsafe scratch(total)
    return unsafe offsets.map { unsafe base + $0 }
  }

  /// Gives the scratch memory back.
  func trim() {
    // SAFETY: no task runs while the pool trims.
    unsafe Memory.free(block, byteCount)
    byteCount = Memory.alignment
    unsafe block = Memory.allocate(byteCount)
  }
}
