import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The hidden name beside a target under which it is made: `.NAME.0123abcd.partial`.
///
/// Its maker holds a lock on it (`flock`), which ends with the maker, however that ends. A temporary without its lock is
/// therefore nobody's, in whichever container or on whichever machine it was made, and ``sweep(_:)`` removes it.
public enum Temporary {
  /// A file of this name says that the folder it lies in is kept for somebody.
  static let keeper = "keep"
  private static let ending = ".partial"
  private static let digits = 8

  /// A new hidden name for a target.
  public static func name(for target: String) -> String {
    let number = String(UInt32.random(in: .min ... .max), radix: 16)
    let padded = String(repeating: "0", count: digits - number.utf8.count) + number
    // Short enough for any file system, whatever the target's name.
    return "." + Paths.prefix(of: target, bytes: 80) + "." + padded + ending
  }

  /// The path of a hidden file that stands for a name alone, so that programs can meet at its lock.
  public static func marker(for name: String, in folder: String) -> String {
    Paths.join(folder, "." + Paths.prefix(of: name, bytes: 80) + ".00000000" + ending)
  }

  /// Whether a name is of the form that ``name(for:)`` gives.
  public static func isTemporary(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    guard bytes.first == UInt8(ascii: "."), name.utf8.count > ending.utf8.count + digits + 2, name.hasSuffix(ending)
    else { return false }
    let number = bytes.dropLast(ending.utf8.count).suffix(digits + 1)
    return number.first == UInt8(ascii: ".")
      && number.dropFirst().allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
  }

  /// Takes a folder and all in it away at one moment: it gets a hidden name first, under which the next program removes
  /// what a kill leaves of it.
  ///
  /// - Returns: whether it could be renamed; nothing is removed otherwise.
  public static func remove(folder path: String) -> Bool {
    let hidden = Paths.join(Paths.folder(of: path), name(for: Paths.name(of: path)))
    guard unsafe rename(path, hidden) == 0 else { return false }
    Removal.remove(hidden)
    return true
  }

  /// Removes what programs that are gone have left in a folder. What cannot be removed stays, without a word.
  public static func sweep(_ folder: String) {
    for name in FolderEntries.names(in: folder) ?? [] where isTemporary(name) {
      let path = Paths.join(folder, name)
      guard let lock = EntryLock.take(path) else { continue }
      guard FileStatus(path: Paths.join(path, keeper)) == nil else { continue }
      if FileSet.recover(from: path) { Removal.remove(path) }
      _ = consume lock
    }
  }
}

/// The lock on a file or folder that tells that its maker lives. It ends when this value does.
public final class EntryLock: Sendable {
  private let descriptor: Int32

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Opens and locks an entry.
  ///
  /// - Parameter creating: whether a file is made where nothing bears the name.
  /// - Returns: `nil` when it is not there, is locked, is a link or another's, or the file system has no locks.
  public static func take(_ path: String, creating: Bool = false) -> EntryLock? {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (creating ? O_CREAT : 0)
    let descriptor = unsafe open(path, flags, 0o666)
    guard descriptor >= 0 else { return nil }
    // Between opening and locking, another may have locked it, removed it and left.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, let held = FileStatus(descriptor: descriptor),
      held.kind == .file || held.kind == .folder, held.owner == geteuid(),
      held.isSame(as: FileStatus(path: path, followingLinks: false))
    else {
      close(descriptor)
      return nil
    }
    return EntryLock(descriptor)
  }

  /// Makes and locks a file, when whoever holds its lock lets go of it.
  ///
  /// - Returns: `nil` when that takes longer than the seconds given, or the file system has no locks.
  static func wait(for path: String, seconds: Int) -> EntryLock? {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      if let lock = take(path, creating: true) { return lock }
      // Without a file there is nobody to wait for: none could be made.
      guard FileStatus(path: path, followingLinks: false) != nil, ContinuousClock.now < end else { return nil }
      usleep(20_000)
    }
  }
}
