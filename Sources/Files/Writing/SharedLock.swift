#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A lock by a file that several programs agree on (`flock`), in whichever language they are written. It ends with this
/// value, and with the program; the file stays for others who wait for it.
public final class SharedLock: Sendable {
  private let descriptor: Int32

  /// What became of taking a lock.
  public enum Attempt: Sendable {
    /// This program has it.
    case taken(SharedLock)
    /// Another has it.
    case busy
    /// The file system has no locks, or the file cannot be made; the system's reason.
    case unavailable(String)
  }

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Takes the lock if nobody has it, and makes its file where there is none.
  public static func attempt(_ path: String) -> Attempt {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o664)
    guard descriptor >= 0 else { return .unavailable(systemReason()) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      return code == EWOULDBLOCK || code == EINTR ? .busy : .unavailable(systemReason(code))
    }
    // Between opening and locking, another may have locked it, removed it and left.
    guard let held = FileStatus(descriptor: descriptor), held.isSame(as: FileStatus(path: path)) else {
      close(descriptor)
      return .busy
    }
    return .taken(SharedLock(descriptor))
  }
}
