#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file that appears under its name only when it is complete.
///
/// Bytes go to a temporary beside the target; ``commit()`` renames it, when the disk has it. Dropped before that, the
/// temporary is removed. A target that is a symbolic link stays one: the file that it points to is replaced.
public final class OutputFile {
  /// The name that the complete file takes, as the caller gave it.
  public let path: String
  /// Where the bytes lie until then: `.<name>.<8 hexadecimal digits>.partial` beside the file that they will replace.
  ///
  /// The digits are random and the file is new, so that no other process writes to it, whatever its number and the
  /// machine that it runs on. Until it has its name, the file is locked (`flock`).
  public let temporaryPath: String
  /// The target without the links that lead to it.
  private let destination: String
  private var descriptor: Int32
  /// Keeps the lock when the writing has ended.
  private var holder: Int32 = -1
  private var isPending = true

  private static let attempts = 100

  /// Starts a file that will replace whatever is at `path`, and removes what killed programs left beside it.
  public init(path: String) throws(FileError) {
    self.path = path
    do throws(OutputError) {
      let target = try OutputTarget(path)
      try target.check()
      destination = target.path
      Temporary.sweep(Paths.folder(of: destination))
      (temporaryPath, descriptor) = try Self.temporary(beside: destination)
    } catch {
      throw FileError(path: path, operation: "create", reason: error.description)
    }
    Leftovers.add(temporaryPath)
  }

  deinit {
    if isPending { _ = unsafe unlink(temporaryPath) }
    for open in [descriptor, holder] where open >= 0 { close(open) }
    Leftovers.forget(temporaryPath)
  }

  private static func temporary(beside destination: String) throws(OutputError) -> (path: String, descriptor: Int32) {
    let folder = Paths.folder(of: destination)
    for _ in 0..<attempts {
      let path = Paths.join(folder, Temporary.name(for: Paths.name(of: destination)))
      let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
      if descriptor < 0 && errno == EEXIST { continue }
      guard descriptor >= 0 else { throw OutputError(systemReason()) }
      // A file system without locks is no failure: nobody can ask there whether the writer is alive.
      _ = flock(descriptor, LOCK_EX | LOCK_NB)
      // Before it was locked, another program may have taken it for a killed one's.
      if FileStatus(path: path, followingLinks: false) != nil { return (path, descriptor) }
      close(descriptor)
    }
    throw OutputError("every name for a temporary file is taken")
  }

  /// Appends the bytes.
  public func write(_ bytes: Span<UInt8>) throws(FileError) {
    precondition(descriptor >= 0, "\(path) is closed")
    try Descriptor.writeAll(bytes, to: descriptor, path: path)
  }

  /// Ends the writing; the file is whole and on the disk, under its temporary name.
  public func finish() throws(FileError) {
    guard descriptor >= 0 else { return }
    let isKept = Disk.synchronize(descriptor)
    let reason = systemReason()
    holder = dup(descriptor)
    let isClosed = close(descriptor) == 0
    descriptor = -1
    guard isKept else { throw FileError(path: path, operation: "write", reason: reason) }
    guard isClosed else { throw .last(path: path, operation: "write") }
  }

  /// Ends the writing and gives the file its name.
  ///
  /// A file system that cannot write its folders down at once, as some over a network, is no failure.
  public func commit() throws(FileError) {
    try finish()
    guard unsafe rename(temporaryPath, destination) == 0 else { throw .last(path: path, operation: "rename to") }
    isPending = false
    Disk.synchronizeFolder(of: destination)
  }
}

extension OutputFile {
  /// Makes a folder, and those above it, where they are not there yet.
  public static func makeFolder(path: String) throws(FileError) {
    if unsafe mkdir(path, 0o777) == 0 { return }
    if errno == ENOENT, let above = folderAbove(path) {
      try makeFolder(path: above)
      if unsafe mkdir(path, 0o777) == 0 { return }
    }
    let failure = FileError.last(path: path, operation: "create the folder")
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw failure }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw FileError(path: path, operation: "create the folder", reason: "a file has this name")
    }
  }

  private static func folderAbove(_ path: String) -> String? {
    var path = Substring(path)
    while path.utf8.last == UInt8(ascii: "/") { path.unicodeScalars.removeLast() }
    let folder = Paths.folder(of: String(path))
    return path.isEmpty || folder == "." ? nil : folder
  }
}
