public import Files
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A block of bytes that one or more tensors look into: memory of a backend's pool, a mapped file, or a device's memory.
///
/// A storage is written only by whoever created it, or by a holder of the only reference, and is immutable once shared.
/// `@unchecked Sendable` rests on that rule.
@safe
public final class Storage: @unchecked Sendable {
  /// Where the bytes lie in host memory; `nil` for a device's.
  @usableFromInline let address: UnsafeMutableRawPointer?
  /// The size of the block; 0 is allowed.
  public let byteCount: Int
  /// Whether the bytes are a file's, mapped read-only: they are never written, not even by the only holder.
  public var isMapped: Bool { file != nil }
  /// Whether the bytes are a file's that does not stay in memory: what is made of it should not lie beside it in another
  /// form.
  public var isStreamed: Bool { file?.isStreamed ?? false }

  /// Says that a mapped file is streamed from here on, or no longer; does nothing to other memory.
  public func setStreamed(_ streams: Bool) { file?.isStreamed = streams }

  /// Reads a range of a mapped file into memory, so that looking at it does not wait.
  ///
  /// - Throws: what the system could not read.
  public func fetch(_ range: Range<Int>) throws(FileError) { try file?.fetch(range) }

  /// The mapping that the bytes are, where they are one.
  private let file: MappedFile?
  /// The block on a device, which only the backend that made it understands; `nil` for host memory.
  public let deviceBlock: (any DeviceBlock)?
  private let release: @Sendable (UnsafeMutableRawPointer, Int) -> Void

  /// Adopts memory that `release` gives back when the last tensor is gone.
  ///
  /// - Parameters:
  ///   - base: at least `byteCount` bytes, aligned for the widest element that will be read from them.
  @unsafe
  public init(
    adopting base: UnsafeMutableRawPointer, byteCount: Int,
    release: @escaping @Sendable (UnsafeMutableRawPointer, Int) -> Void
  ) {
    unsafe address = base
    self.byteCount = byteCount
    file = nil
    deviceBlock = nil
    unsafe self.release = release
  }

  /// The bytes of a mapped file, in place; the mapping lives as long as a tensor looks into it.
  public init(_ file: MappedFile) {
    // An empty file has no mapping; one byte stands for its address, and is never read.
    unsafe address = file.base ?? Storage.allocate(1)
    byteCount = file.byteCount
    self.file = file
    deviceBlock = nil
    let isEmpty = file.byteCount == 0
    unsafe release = { base, _ in if isEmpty { unsafe free(base) } }
  }

  /// Gives back the physical memory that holds a range of a mapped file; looking at it again reads the file again.
  ///
  /// For weights that have been packed into another layout. Does nothing to memory that is not mapped.
  ///
  /// - Parameter fromCache: whether the system should forget the bytes too.
  public func discardCachedPages(in range: Range<Int>? = nil, fromCache: Bool = false) {
    file?.discard(range ?? 0..<byteCount, fromCache: fromCache)
  }

  /// A block of a device's memory; it goes when the last tensor that looks into it goes.
  public init(_ block: any DeviceBlock, byteCount: Int) {
    unsafe address = nil
    self.byteCount = byteCount
    file = nil
    deviceBlock = block
    unsafe release = { _, _ in }
  }

  /// Fresh zeroed memory on a 64-byte boundary; ``MemoryExhaustion`` where there is none.
  public convenience init(byteCount: Int) {
    AllocationCount.current?.add(byteCount)
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

  /// Whether the bytes lie in host memory.
  public var isHost: Bool { deviceBlock == nil }

  /// Where the bytes lie; traps for a device's block, which must be fetched with ``Backend/host(_:)`` first.
  @inlinable
  var base: UnsafeMutableRawPointer {
    guard let address = unsafe address else {
      preconditionFailure("the elements of a tensor on a device are not for the host; ask its backend for host(_:)")
    }
    return unsafe address
  }

  deinit {
    // SAFETY: no tensor refers to the block any more.
    if let address = unsafe address { unsafe release(address, byteCount) }
  }
}

/// Counts the storages of host memory that a task makes, where a test asks for it: what a loop allocates is part of what
/// it promises.
package final class AllocationCount: Sendable {
  @TaskLocal package static var current: AllocationCount?
  private let counted = Mutex<[Int]>([])

  package init() {}

  /// The bytes of each storage so far, in order.
  package var byteCounts: [Int] { counted.withLock { $0 } }

  fileprivate func add(_ byteCount: Int) { counted.withLock { $0.append(byteCount) } }
}

/// Memory of a device, made and understood by one backend alone; it is freed when the object goes.
public protocol DeviceBlock: AnyObject, Sendable {}
