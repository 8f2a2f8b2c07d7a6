/// A name that this program alone will write to, of those that choose their own names: the next free one of a series.
///
/// While it lasts a hidden empty file with a lock stands for the name, so that two programs started together choose two
/// names. Nothing bears the name itself before the work is done.
public final class NameReservation: Sendable {
  /// The path that was free, and is reserved.
  public let path: String
  private let marker: String
  private let lock: EntryLock?

  /// Takes the first path that nothing bears and no other program has reserved.
  ///
  /// - Returns: `nil` when none is free.
  public static func first(of paths: some Sequence<String>) -> NameReservation? {
    for path in paths where FileStatus(path: path, followingLinks: false) == nil {
      let marker = Temporary.marker(for: Paths.name(of: path), in: Paths.folder(of: path))
      guard let lock = EntryLock.take(marker, creating: true) else {
        // Reserved, unless no file can be made here at all, which whoever writes there will tell.
        if FileStatus(path: marker, followingLinks: false) == nil { return NameReservation(path, marker, nil) }
        continue
      }
      // Another may have finished between the look and the lock.
      guard FileStatus(path: path, followingLinks: false) == nil else {
        Removal.remove(marker)
        continue
      }
      return NameReservation(path, marker, lock)
    }
    return nil
  }

  private init(_ path: String, _ marker: String, _ lock: EntryLock?) {
    (self.path, self.marker, self.lock) = (path, marker, lock)
    if lock != nil { Leftovers.add(marker) }
  }

  deinit {
    guard lock != nil else { return }
    Removal.remove(marker)
    Leftovers.forget(marker)
  }
}
