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
    defer { close(descriptor) }
    self.path = path
    unsafe (base, byteCount) = try Self.map(descriptor, path: path)
  }

  deinit {
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
  public func discard(_ range: Range<Int>) {
    let range = range.clamped(to: 0..<byteCount)
    guard let base = unsafe base, !range.isEmpty else { return }
    let page = Int(getpagesize())
    let start = range.lowerBound / page * page
    // SAFETY: the range lies in the mapping; its pages are never written, so that dropping them loses nothing.
    _ = unsafe madvise(base + start, range.upperBound - start, MADV_DONTNEED)
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
