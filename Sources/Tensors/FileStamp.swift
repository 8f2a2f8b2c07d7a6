#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What the system says of a file without its being read.
///
/// Two equal stamps of one path mean equal contents: the time of change is the system's own, set by everything that
/// touches a file, and no program can set it back, as it can the date of the contents. Different stamps mean nothing:
/// a copy has another number and another time.
public struct FileStamp: Sendable, Hashable, CustomStringConvertible {
  /// The size.
  public let byteCount: Int
  /// When the file was last touched in any way, in nanoseconds since 1970.
  public let changed: Int
  /// When its contents are said to have been written, in nanoseconds since 1970.
  private let modified: Int
  private let inode: UInt64

  /// Looks at the file that a path leads to, through links.
  public init(path: String) throws(FileError) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw .last(path: path, operation: "look at") }
    byteCount = Int(status.st_size)
    inode = UInt64(status.st_ino)
    #if canImport(Darwin)
      (changed, modified) = (Self.nanoseconds(status.st_ctimespec), Self.nanoseconds(status.st_mtimespec))
    #else
      (changed, modified) = (Self.nanoseconds(status.st_ctim), Self.nanoseconds(status.st_mtim))
    #endif
  }

  /// Now, as file times count.
  public static var now: Int {
    var time = timespec()
    // SAFETY: the call fills the structure passed and nothing else.
    return unsafe clock_gettime(CLOCK_REALTIME, &time) == 0 ? nanoseconds(time) : 0
  }

  /// In one line, equal for equal stamps.
  public var description: String { "\(byteCount) \(changed) \(modified) \(inode)" }

  private static func nanoseconds(_ time: timespec) -> Int {
    Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
  }
}
