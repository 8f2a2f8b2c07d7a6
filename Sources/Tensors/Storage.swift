/// A block of bytes that one or more tensors look into: memory of a backend's pool, or a mapped file.
///
/// A storage is written only by whoever created it, or by a holder of the only reference, and is immutable once shared.
/// `@unchecked Sendable` rests on that rule.
@safe
public final class Storage: @unchecked Sendable {
  @usableFromInline let base: UnsafeMutableRawPointer
  public let byteCount: Int
  private let release: @Sendable (UnsafeMutableRawPointer, Int) -> Void

  /// Adopts memory that `release` gives back when the last tensor is gone.
  ///
  /// - Parameter base: at least `byteCount` bytes, aligned for the widest element that will be read from them.
  @unsafe
  public init(
    adopting base: UnsafeMutableRawPointer, byteCount: Int,
    release: @escaping @Sendable (UnsafeMutableRawPointer, Int) -> Void
  ) {
    unsafe self.base = base
    self.byteCount = byteCount
    unsafe self.release = release
  }

  /// Fresh zeroed memory on a 64-byte boundary.
  public convenience init(byteCount: Int) {
    let base = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
    // SAFETY: the block was allocated with exactly this many bytes.
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    // SAFETY: the block is released once, by the same allocator.
    unsafe self.init(adopting: base, byteCount: byteCount) { base, _ in unsafe base.deallocate() }
  }

  deinit {
    // SAFETY: no tensor refers to the block any more.
    unsafe release(base, byteCount)
  }
}
