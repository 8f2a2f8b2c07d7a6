import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A hidden folder beside a target, in which files are made before they get their names. Being in the same folder, a
/// finished file moves by a rename, which either happens or does not.
///
/// It is removed when the last reference is gone, by ``Leftovers`` where the program ends at once, and by the next
/// program that writes there where this one was killed.
public final class OutputFolder: Sendable {
  /// Absolute, or relative as the target was given.
  public let path: String
  private let lock: EntryLock?
  private let isLeft = Mutex(false)

  /// Removes what killed programs left in the folder, and makes a new hidden folder there.
  ///
  /// - Parameter target: the path whose name the hidden folder bears; nothing need be there.
  /// - Throws: ``OutputError``.
  public init(beside target: String) throws(OutputError) {
    let parent = Paths.folder(of: target)
    guard FileStatus(path: parent)?.kind == .folder else {
      throw OutputError("there is no folder '\(parent)': create it first")
    }
    Temporary.sweep(parent)
    for _ in 0..<8 {
      let path = Paths.join(parent, Temporary.name(for: Paths.name(of: target)))
      guard unsafe mkdir(path, 0o777) == 0 else {
        if errno == EEXIST { continue }
        throw OutputError("its folder '\(parent)' cannot be written to (\(systemReason())); check its permissions")
      }
      let lock = EntryLock.take(path)
      // Another program may have taken it for a killed one's between the two calls.
      if lock == nil, FileStatus(path: path) == nil { continue }
      // On a file system without locks the folder is as good; only its remains are not recognised.
      (self.path, self.lock) = (path, lock)
      Leftovers.add(path)
      return
    }
    throw OutputError("no hidden folder could be made in '\(parent)'")
  }

  deinit { remove() }

  /// A path inside.
  public func file(_ name: String) -> String { Paths.join(path, name) }

  /// Puts a file of the folder on the disk for good, then under its final name, replacing what bore it.
  public func publish(_ name: String, as final: String) throws(OutputError) {
    try Disk.synchronize(file(name))
    guard unsafe rename(file(name), final) == 0 else { throw OutputError(systemReason()) }
    Disk.synchronizeFolder(of: final)
  }

  /// Moves something of the folder out of it, where nothing may be in its way.
  ///
  /// - Returns: whether it was moved.
  public func hand(over source: String, as place: String) -> Bool {
    unsafe rename(source, place) == 0
  }

  /// Lets the folder stay as it is for the next program that sweeps, which recovers what it can.
  func retain() {
    isLeft.withLock { $0 = true }
    Leftovers.forget(path)
  }

  /// Lets the folder stay, with what is in it, under a name that no program takes for a killed one's.
  ///
  /// - Returns: its path from now on.
  public func leave() -> String {
    retain()
    // Where it must keep its name, this keeps it from being swept away.
    _ = try? OutputStreamFile(path: file(Temporary.keeper))
    let kept = Paths.join(Paths.folder(of: path), "kept" + Paths.name(of: path))
    return hand(over: path, as: kept) ? kept : path
  }

  /// Removes the folder and all in it, unless it was left. Does nothing the second time.
  public func remove() {
    if isLeft.withLock({ $0 }) { return }
    Removal.remove(path)
    Leftovers.forget(path)
  }
}

/// Why something could not be written, as the end of a sentence.
public struct OutputError: Error, Sendable, Hashable, CustomStringConvertible {
  /// "it is a folder", "No space left on device".
  public let description: String

  /// - Parameter description: the end of a sentence that names the file.
  public init(_ description: String) { self.description = description }
}

/// What a disk has taken for good.
public enum Disk {
  /// Waits until the disk has what was written to a descriptor; whether it does, and `errno` says why not.
  ///
  /// A descriptor that cannot be waited for (some network file systems') counts as done.
  public static func synchronize(_ descriptor: Int32) -> Bool {
    retrying { Int(fsync(descriptor)) } == 0 || errno == EINVAL || errno == ENOTSUP
  }

  static func synchronize(_ file: String) throws(OutputError) {
    let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw OutputError(systemReason()) }
    defer { close(descriptor) }
    guard synchronize(descriptor) else {
      throw OutputError("the disk did not take it all: \(systemReason())")
    }
  }

  /// A rename lasts when its folder is on the disk; file systems that cannot do this do not need it.
  public static func synchronizeFolder(of path: String) {
    let descriptor = unsafe open(Paths.folder(of: path), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = synchronize(descriptor)
    close(descriptor)
  }
}
