import Tensors

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

  /// Memory of any content; ``MemoryExhaustion`` where there is none.
  @unsafe
  static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    guard byteCount >= mappedFrom else { return unsafe Storage.allocate(byteCount) }
    // SAFETY: an anonymous private mapping touches no memory in use.
    let block = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let block = unsafe block, unsafe block != MAP_FAILED else {
      MemoryExhaustion.end(byteCount: byteCount)
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
      unsafe freeSmall(block)
    }
  }

  /// The largest number of bytes of memory that this process has held at one time.
  static var peak: Int {
    var usage = rusage()
    let thisProcess: Int32 = 0  // RUSAGE_SELF, whose Swift type differs from one C library to the next
    // SAFETY: the call fills the structure passed and nothing else.
    guard unsafe getrusage(thisProcess, &usage) == 0 else { return 0 }
    #if os(Linux)
      let unit = 1024
    #else
      let unit = 1
    #endif
    return usage.ru_maxrss * unit
  }

  /// Processors that are up.
  static var processors: Int {
    max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }
}

/// The C library's free, which a method of the same name hides inside ``Memory``.
@unsafe
private func freeSmall(_ block: UnsafeMutableRawPointer) {
  unsafe free(block)
}
