#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What the system says of a name: what bears it, whose it is, how large.
public struct FileStatus: Sendable, Hashable {
  /// What a name can stand for.
  public enum Kind: Sendable, Hashable {
    /// What holds bytes, what holds names, and what is neither.
    case file, folder, link, pipe, device, socket
  }

  /// Of the name itself, or of what a link leads to, as asked.
  public let kind: Kind
  /// The number of the user that it belongs to.
  public let owner: UInt32
  /// Bytes of a file.
  public let size: Int
  /// The permission bits with the sticky bit, as `chmod` takes them.
  public let mode: UInt32
  /// Two names with the same pair are one file.
  public let device, inode: UInt64

  /// - Parameter followingLinks: whether a link's destination is meant, or the link.
  /// - Returns: `nil` when nothing bears the name, or the way to it may not be gone.
  public init?(path: String, followingLinks: Bool = true) {
    var status = stat()
    let result = unsafe followingLinks ? stat(path, &status) : lstat(path, &status)
    guard result == 0 else { return nil }
    self.init(status)
  }

  /// Of an open file.
  public init?(descriptor: Int32) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      case S_IFLNK: .link
      case S_IFIFO: .pipe
      case S_IFSOCK: .socket
      default: .device
      }
    owner = status.st_uid
    size = Int(status.st_size)
    mode = UInt32(status.st_mode & 0o7777)
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
  }

  /// Whether in this folder only the owner of an entry, or of the folder, may rename or remove it.
  public var isSticky: Bool { mode & 0o1000 != 0 }

  /// Whether two names lead to the same file.
  public func isSame(as other: FileStatus?) -> Bool {
    other.map { $0.device == device && $0.inode == inode } ?? false
  }
}
