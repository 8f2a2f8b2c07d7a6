#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Blocks of memory on a 64-byte boundary at least; the large ones come from and go back to the system at once.
enum Memory {
  static let alignment = 64
  /// From here on a block is mapped by itself, so that freeing it returns it.
  static let mappedFrom = 1 << 20

  @unsafe
  static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    guard byteCount >= mappedFrom else {
      return UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: alignment)
    }
    // SAFETY: an anonymous private mapping touches no memory in use.
    let block = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let block = unsafe block, unsafe block != MAP_FAILED else {
      preconditionFailure("the system gives no block of \(byteCount) bytes")
    }
    #if os(Linux)
      // SAFETY: advice about a mapping just made; it changes no contents.
      unsafe madvise(block, byteCount, MADV_HUGEPAGE)
    #endif
    return unsafe block
  }

  /// - Parameter byteCount: the count the block was allocated with.
  @unsafe
  static func free(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
    if byteCount >= mappedFrom {
      unsafe munmap(block, byteCount)
    } else {
      unsafe block.deallocate()
    }
  }

  /// The largest number of bytes of memory that this process has held at one time.
  static var peak: Int {
    var usage = rusage()
    // SAFETY: the call fills the structure passed and nothing else.
    #if os(Linux)
      guard unsafe getrusage(RUSAGE_SELF, &usage) == 0 else { return 0 }
      return usage.ru_maxrss * 1024
    #else
      guard unsafe getrusage(RUSAGE_SELF, &usage) == 0 else { return 0 }
      return usage.ru_maxrss
    #endif
  }

  /// Processors this process may run on.
  static var processors: Int {
    #if os(Linux)
      var set = cpu_set_t()
      // SAFETY: the call fills at most the size passed.
      let result = unsafe sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set)
      // SAFETY: the set is plain bits.
      let bits = unsafe withUnsafeBytes(of: &set) { unsafe $0.reduce(0) { $0 + $1.nonzeroBitCount } }
      if result == 0 && bits > 0 { return bits }
    #endif
    return max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }
}
