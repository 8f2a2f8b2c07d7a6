#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A whole file, mapped read-only: its bytes are read from disk when they are first looked at.
///
/// The mapping lives as long as this object or any tensor over its ``storage``. A file must not shrink while it is
/// mapped: looking at bytes that are no longer there ends the process, as the system has it.
public final class MappedFile: Sendable {
  /// As it was given, for error messages.
  public let path: String
  /// The file's bytes; on a page boundary.
  public let storage: Storage

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
    storage = try Self.map(descriptor, path: path)
  }

  /// The file's size when it was opened.
  public var byteCount: Int { storage.byteCount }

  /// Reads a range of the bytes in place.
  public func withSpan<R, E: Error>(in range: Range<Int>, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    try storage.withBytes(in: range, body)
  }

  /// A copy of a range of the bytes.
  public func bytes(in range: Range<Int>) -> [UInt8] {
    storage.withBytes(in: range) { span in span.indices.map { span[$0] } }
  }

  /// Gives back the memory of these pages; see ``Storage/discardCachedPages(in:)``.
  public func discard(_ range: Range<Int>) {
    storage.discardCachedPages(in: range)
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

  private static func map(_ descriptor: Int32, path: String) throws(FileError) -> Storage {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .last(path: path, operation: "open") }
    try requireRegular(status, path: path)
    let byteCount = Int(status.st_size)
    if byteCount == 0 { return Storage(byteCount: 0) }
    guard let base = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), unsafe base != MAP_FAILED
    else {
      throw .last(path: path, operation: "map")
    }
    // SAFETY: the mapping is this long and is unmapped once; `isMapped` keeps everybody from writing to it.
    return unsafe Storage(adopting: base, byteCount: byteCount, isMapped: true) { base, count in
      _ = unsafe munmap(base, count)
    }
  }
}

extension Storage {
  /// Gives back the physical memory that holds a range of a mapped file; looking at it again reads the file again.
  ///
  /// For weights that have been packed into another layout. Does nothing to memory that is not mapped.
  public func discardCachedPages(in range: Range<Int>? = nil) {
    let range = (range ?? 0..<byteCount).clamped(to: 0..<byteCount)
    guard isMapped, !range.isEmpty else { return }
    let page = Int(getpagesize())
    let start = range.lowerBound / page * page
    // SAFETY: the range lies in the mapping; its pages are never written, so that dropping them loses nothing.
    _ = unsafe madvise(base + start, range.upperBound - start, MADV_DONTNEED)
  }
}

extension Tensor {
  /// Gives back the physical memory of this tensor's own bytes where they are a mapped file's.
  public func discardCachedPages() {
    storage.discardCachedPages(in: byteOffset..<byteOffset + byteCount)
  }
}
