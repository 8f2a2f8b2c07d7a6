#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file that grows over several runs of a program, and gets its name when it is whole.
///
/// Whoever opens it holds a lock that says so; see ``SharedLock``.
public final class ResumedFile {
  /// Where it lies until it is whole.
  public let path: String
  private let descriptor: Int32

  /// Opens the file at its start, or makes an empty one. A link is not followed.
  public init(path: String) throws(FileError) {
    self.path = path
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else { throw .last(path: path, operation: "open") }
    guard FileStatus(descriptor: descriptor)?.kind == .file else {
      close(descriptor)
      throw FileError(path: path, operation: "open", reason: "it is no regular file")
    }
  }

  deinit { close(descriptor) }

  /// Bytes that it has.
  public var size: Int { FileStatus(descriptor: descriptor)?.size ?? 0 }

  /// Reads the next bytes, at most as many as the block takes: 0 at the end.
  public func read(into block: inout [UInt8]) throws(FileError) -> Int {
    do {
      return try Descriptor.read(descriptor, into: &block)
    } catch {
      throw FileError(path: path, operation: "read", reason: error.description)
    }
  }

  /// Goes to the file's start.
  public func rewind() throws(FileError) {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw .last(path: path, operation: "read") }
  }

  /// Cuts the file off behind so many bytes, and goes to its end.
  public func cut(to size: Int) throws(FileError) {
    guard retrying({ Int(ftruncate(descriptor, off_t(size))) }) == 0, lseek(descriptor, off_t(size), SEEK_SET) >= 0
    else { throw .last(path: path, operation: "cut") }
  }

  /// Writes bytes where the last reading or writing ended.
  public func write(_ bytes: Span<UInt8>) throws(FileError) {
    try Descriptor.writeAll(bytes, to: descriptor, path: path)
  }

  /// Puts the file on the disk for good, then under its name, replacing what bore it.
  public func publish(as final: String) throws(FileError) {
    guard Disk.synchronize(descriptor) else { throw .last(path: path, operation: "write") }
    guard unsafe rename(path, final) == 0 else { throw .last(path: final, operation: "rename to") }
    Disk.synchronizeFolder(of: final)
  }
}

extension ResumedFile {
  /// Removes a file or a link, not what it leads to.
  ///
  /// - Returns: whether there was one and it is gone.
  @discardableResult
  public static func remove(_ path: String) -> Bool { unsafe unlink(path) == 0 }

  /// Gives a file another name in the place of what bore it.
  ///
  /// - Returns: whether it has it.
  @discardableResult
  public static func move(_ path: String, to other: String) -> Bool { unsafe rename(path, other) == 0 }
}
