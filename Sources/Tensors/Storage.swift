#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A block of bytes that one or more tensors look into: memory of a backend's pool, or a mapped file.
///
/// A storage is written only by whoever created it, or by a holder of the only reference, and is immutable once shared.
/// `@unchecked Sendable` rests on that rule.
@safe
public final class Storage: @unchecked Sendable {
  @usableFromInline let base: UnsafeMutableRawPointer
  /// The size of the block; 0 is allowed.
  public let byteCount: Int
  /// Whether the bytes are a file's, mapped read-only: they are never written, not even by the only holder.
  public let isMapped: Bool
  private let release: @Sendable (UnsafeMutableRawPointer, Int) -> Void

  /// Adopts memory that `release` gives back when the last tensor is gone.
  ///
  /// - Parameters:
  ///   - base: at least `byteCount` bytes, aligned for the widest element that will be read from them.
  ///   - isMapped: whether the memory is a read-only mapping of a file, whose pages may be discarded and read again.
  @unsafe
  public init(
    adopting base: UnsafeMutableRawPointer, byteCount: Int, isMapped: Bool = false,
    release: @escaping @Sendable (UnsafeMutableRawPointer, Int) -> Void
  ) {
    unsafe self.base = base
    self.byteCount = byteCount
    self.isMapped = isMapped
    unsafe self.release = release
  }

  /// Fresh zeroed memory on a 64-byte boundary; ``MemoryExhaustion`` where there is none.
  public convenience init(byteCount: Int) {
    let base = unsafe Storage.allocate(byteCount)
    // SAFETY: the block was allocated with exactly this many bytes.
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    // SAFETY: the block is released once, by the same allocator.
    unsafe self.init(adopting: base, byteCount: byteCount) { base, _ in unsafe free(base) }
  }

  /// Memory of any content on a 64-byte boundary, for the C library's `free`; ``MemoryExhaustion`` where there is none.
  @unsafe
  public static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    var block: UnsafeMutableRawPointer?
    // SAFETY: the call sets the pointer that is passed, or fails.
    guard unsafe posix_memalign(&block, 64, max(byteCount, 1)) == 0, let block = unsafe block else {
      MemoryExhaustion.end(byteCount: byteCount)
    }
    return unsafe block
  }

  deinit {
    // SAFETY: no tensor refers to the block any more.
    unsafe release(base, byteCount)
  }
}
