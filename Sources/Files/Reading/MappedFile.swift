import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A whole file, mapped read-only: its bytes are read from disk when they are first looked at.
///
/// The mapping lives as long as this object. A file must not shrink while it is
/// mapped: looking at bytes that are no longer there ends the process, as the system has it.
///
/// `@unchecked Sendable`: the bytes are never written.
@safe
public final class MappedFile: @unchecked Sendable {
  /// As it was given, for error messages.
  public let path: String
  /// Where its bytes lie, on a page boundary; `nil` for an empty file.
  @unsafe public let base: UnsafeMutableRawPointer?
  /// The file's size when it was opened.
  public let byteCount: Int
  private let streams = Atomic(false)
  /// The open file, for what the system is asked about its pages.
  private let descriptor: Int32

  /// Whether parts of it are dropped behind their use and read ahead of it: nothing made of them should stay beside it.
  public var isStreamed: Bool {
    get { streams.load(ordering: .relaxed) }
    set { streams.store(newValue, ordering: .relaxed) }
  }

  /// Maps the file and reads none of it; an empty file is allowed.
  ///
  /// - Throws: ``FileError`` when it cannot be opened or mapped, or is no regular file.
  public init(path: String) throws(FileError) {
    var status = stat()
    // Looked at before opening too: to open a device may do something.
    guard unsafe stat(path, &status) == 0 else { throw .last(path: path, operation: "open") }
    try Self.requireRegular(status, path: path)
    // Without waiting: a pipe that takes the name in between would block until somebody writes to it.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw .last(path: path, operation: "open") }
    do throws(FileError) {
      unsafe (base, byteCount) = try Self.map(descriptor, path: path)
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
    // SAFETY: the mapping is this long, is unmapped once, and nobody has a pointer into it any more.
    if let base = unsafe base { _ = unsafe munmap(base, byteCount) }
  }

  /// Reads a range of the bytes in place.
  public func withSpan<R, E: Error>(in range: Range<Int>, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "bytes \(range) of \(byteCount) in \(path)")
    let start = unsafe base.map { unsafe UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) + range.lowerBound }
    // SAFETY: the range was checked against the size of the mapping, which this object keeps.
    let buffer = unsafe UnsafeBufferPointer(start: start, count: range.count)
    defer { withExtendedLifetime(self) {} }
    return try unsafe body(buffer.span)
  }

  /// A copy of a range of the bytes.
  public func bytes(in range: Range<Int>) -> [UInt8] {
    withSpan(in: range) { span in span.indices.map { span[$0] } }
  }

  /// Gives back the physical memory that holds a range; looking at it again reads the file again.
  ///
  /// - Parameter fromCache: whether the system should forget the bytes too, so that they push nothing else out of its cache.
  public func discard(_ range: Range<Int>, fromCache: Bool = false) {
    guard let base = unsafe base, let pages = pages(range) else { return }
    // SAFETY: the range lies in the mapping; its pages are never written, so that dropping them loses nothing.
    _ = unsafe madvise(base + pages.lowerBound, pages.count, MADV_DONTNEED)
    #if os(Linux)
      if fromCache { _ = posix_fadvise(descriptor, pages.lowerBound, pages.count, POSIX_FADV_DONTNEED) }
    #endif
  }

  /// Reads a range into memory, so that looking at it does not wait for the disk; returns when all of it is there.
  ///
  /// - Throws: what the system could not read. Looking at those bytes would end the process.
  public func fetch(_ range: Range<Int>) throws(FileError) {
    guard let pages = pages(range) else { return }
    var start = pages.lowerBound
    advise(start..<min(start + Self.piece, pages.upperBound))
    while start < pages.upperBound {
      let end = min(start + Self.piece, pages.upperBound)
      advise(end..<min(end + Self.piece, pages.upperBound))
      if !populate(start..<end) { try readThrough(start..<end) }
      start = end
    }
  }

  /// Bytes that are read at a time.
  private static let piece = 8 << 20

  /// The whole pages that a range lies in; `nil` for none.
  private func pages(_ range: Range<Int>) -> Range<Int>? {
    let range = range.clamped(to: 0..<byteCount)
    if range.isEmpty { return nil }
    let page = Int(getpagesize())
    return range.lowerBound / page * page..<range.upperBound
  }

  /// Tells the system that a range will be read soon.
  private func advise(_ range: Range<Int>) {
    #if os(Linux)
      if !range.isEmpty { _ = posix_fadvise(descriptor, range.lowerBound, range.count, POSIX_FADV_WILLNEED) }
    #endif
  }

  /// Brings pages into memory and into the mapping; false where the system cannot, or not all of them.
  private func populate(_ range: Range<Int>) -> Bool {
    #if os(Linux)
      guard let base = unsafe base else { return true }
      // MADV_POPULATE_READ, since Linux 5.14; headers may be older.
      let populateRead: Int32 = 22
      // SAFETY: the range lies in the mapping, which is only read.
      return retrying { unsafe Int(madvise(base + range.lowerBound, range.count, populateRead)) } == 0
    #else
      return false
    #endif
  }

  /// Reads a range the plain way: what cannot be read has an error then.
  private func readThrough(_ range: Range<Int>) throws(FileError) {
    var start = range.lowerBound
    let count = min(range.count, 1 << 20)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
    defer { unsafe buffer.deallocate() }
    while start < range.upperBound {
      let wanted = min(count, range.upperBound - start)
      // SAFETY: the buffer has room for what is asked for.
      let read = retrying { unsafe pread(descriptor, buffer.baseAddress, wanted, off_t(start)) }
      if read < 0 { throw .last(path: path, operation: "read at byte \(start)") }
      if read == 0 {
        throw FileError(path: path, operation: "read at byte \(start)", reason: "the file has become shorter")
      }
      start += read
    }
  }

  private static func requireRegular(_ status: stat, path: String) throws(FileError) {
    let kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: ""
      case S_IFDIR: "a folder"
      case S_IFIFO: "a named pipe"
      case S_IFSOCK: "a socket"
      default: "a device"
      }
    if kind.isEmpty { return }
    throw FileError(path: path, operation: "open", reason: "it is \(kind), not a regular file")
  }

  @unsafe
  private static func map(
    _ descriptor: Int32, path: String
  ) throws(FileError) -> (base: UnsafeMutableRawPointer?, byteCount: Int) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .last(path: path, operation: "open") }
    try requireRegular(status, path: path)
    let byteCount = Int(status.st_size)
    if byteCount == 0 { return (nil, 0) }
    guard let base = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), unsafe base != MAP_FAILED
    else {
      throw .last(path: path, operation: "map")
    }
    return unsafe (base, byteCount)
  }
}
