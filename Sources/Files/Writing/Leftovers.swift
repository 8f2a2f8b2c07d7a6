import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What must not outlive the program, whichever way it ends: unfinished files and folders, and the processes that write
/// into them.
///
/// Whoever makes a temporary enters it here and takes it out when it has its name or is gone. ``removeAll()`` is for
/// ends that run no more code of theirs: a second Ctrl-C, memory that is exhausted.
public enum Leftovers {
  private struct Entries {
    var paths: Set<String> = []
    var processes: Set<Int32> = []
  }

  private static let entries = Mutex(Entries())

  /// An unfinished file or folder.
  public static func add(_ path: String) { entries.withLock { _ = $0.paths.insert(path) } }

  /// It has its name, or is gone.
  public static func forget(_ path: String) { entries.withLock { _ = $0.paths.remove(path) } }

  /// Whether an unfinished file or folder is one that goes with the program.
  package static func isKnown(_ path: String) -> Bool { entries.withLock { $0.paths.contains(path) } }

  /// A process, the leader of a group of its own, that writes into unfinished files.
  public static func add(process: Int32) { entries.withLock { _ = $0.processes.insert(process) } }

  /// It has ended.
  public static func forget(process: Int32) { entries.withLock { _ = $0.processes.remove(process) } }

  /// Ends the processes and removes the files; for the very end of the program.
  public static func removeAll() {
    // Whoever holds the lock may be the thread that is ending: then what can be seen of it is left.
    let taken = entries.withLockIfAvailable { entries in
      defer { entries = Entries() }
      return entries
    }
    guard let taken else { return }
    for process in taken.processes where process > 1 { _ = kill(-process, SIGKILL) }
    for path in taken.paths { Removal.remove(path) }
  }
}

/// Removing what this project made: a file, or a folder of files and such folders.
enum Removal {
  /// - Parameter depth: of folders in folders that go with it; a model's own lie three deep in a hidden one.
  static func remove(_ path: String, depth: Int = 6) {
    if unsafe unlink(path) == 0 || depth == 0 { return }
    for name in FolderEntries.names(in: path) ?? [] { remove(Paths.join(path, name), depth: depth - 1) }
    _ = unsafe rmdir(path)
  }
}
