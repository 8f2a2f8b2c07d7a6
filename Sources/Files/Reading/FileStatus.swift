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
  /// When it was last touched in any way, and when its contents are said to have been written, in nanoseconds since 1970.
  public let changed, modified: Int

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
    #if canImport(Darwin)
      (changed, modified) = (Self.nanoseconds(status.st_ctimespec), Self.nanoseconds(status.st_mtimespec))
    #else
      (changed, modified) = (Self.nanoseconds(status.st_ctim), Self.nanoseconds(status.st_mtim))
    #endif
  }

  /// Of a file that must be there, through links.
  public static func of(_ path: String) throws(FileError) -> FileStatus {
    guard let status = FileStatus(path: path) else { throw .last(path: path, operation: "look at") }
    return status
  }

  /// What its contents are known by without being read: two equal stamps of one path mean equal contents.
  ///
  /// The time of change is the system's own, set by everything that touches a file, and no program can set it back, as it
  /// can the date of the contents. Different stamps mean nothing: a copy has another number and another time.
  public var stamp: String { "\(size) \(changed) \(modified) \(inode)" }

  /// Now, as file times count.
  public static var now: Int {
    var time = timespec()
    // SAFETY: the call fills the structure passed and nothing else.
    return unsafe clock_gettime(CLOCK_REALTIME, &time) == 0 ? nanoseconds(time) : 0
  }

  private static func nanoseconds(_ time: timespec) -> Int {
    Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
  }

  /// Whether in this folder only the owner of an entry, or of the folder, may rename or remove it.
  public var isSticky: Bool { mode & 0o1000 != 0 }

  /// Whether two names lead to the same file.
  public func isSame(as other: FileStatus?) -> Bool {
    other.map { $0.device == device && $0.inode == inode } ?? false
  }
}
