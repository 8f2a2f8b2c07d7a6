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
  /// machine that it runs on. While its writer lives, the file is locked (`flock`).
  public let temporaryPath: String
  /// The target without the links that lead to it.
  private let destination: String
  private var descriptor: Int32
  private var isPending = true

  /// Starts a file that will replace whatever is at `path`.
  public init(path: String) throws(FileError) {
    self.path = path
    do throws(FileError) {
      destination = try Self.followed(path)
      (temporaryPath, descriptor) = try Self.temporary(beside: destination)
    } catch {
      throw FileError(path: path, operation: error.operation, reason: error.reason)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if isPending { _ = unsafe unlink(temporaryPath) }
  }

  /// Appends the bytes.
  public func write(_ bytes: Span<UInt8>) throws(FileError) {
    precondition(descriptor >= 0, "\(path) is closed")
    // SAFETY: each write starts inside the span and ends at most at its end.
    let failure: FileError? = unsafe bytes.withUnsafeBytes { buffer in
      var rest = unsafe buffer[...]
      while unsafe !rest.isEmpty {
        let block = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
        let written = unsafe systemWrite(descriptor, block.baseAddress, block.count)
        if written < 0 && errno == EINTR { continue }
        if written <= 0 { return FileError.last(path: path, operation: "write") }
        unsafe rest = rest.dropFirst(written)
      }
      return nil
    }
    if let failure { throw failure }
  }

  /// Ends the writing; the file is whole and on the disk, under its temporary name.
  public func finish() throws(FileError) {
    guard descriptor >= 0 else { return }
    let isKept = synchronized(descriptor)
    let reason = errno
    let isClosed = close(descriptor) == 0
    descriptor = -1
    if !isKept { errno = reason }
    guard isKept, isClosed else { throw .last(path: path, operation: "write") }
  }

  /// Ends the writing and gives the file its name.
  ///
  /// A file system that cannot write its folders down at once, as some over a network, is no failure.
  public func commit() throws(FileError) {
    try finish()
    guard unsafe rename(temporaryPath, destination) == 0 else { throw .last(path: path, operation: "rename to") }
    isPending = false
    let folder = unsafe open(Self.split(destination).folder, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    _ = synchronized(folder)
    close(folder)
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
    let folder = split(String(path)).folder
    return path.isEmpty || folder == "." ? nil : folder
  }

  /// The longest name that file systems take, in bytes.
  private static let longestName = 255

  /// The temporary's name for a file of that name: cut where it would be too long.
  static func temporaryName(for name: String, digits: String) -> String {
    let ending = ".\(digits).partial"
    var stem = Substring(name)
    while stem.utf8.count + ending.utf8.count + 1 > longestName { stem.unicodeScalars.removeLast() }
    return ".\(stem)\(ending)"
  }

  private static func temporary(beside destination: String) throws(FileError) -> (path: String, descriptor: Int32) {
    let (folder, name) = split(destination)
    try check(destination, name: name)
    for _ in 0..<attempts {
      let digits = String(UInt32.random(in: 0...UInt32.max), radix: 16)
      let padded = String(repeating: "0", count: 8 - digits.count) + digits
      let path = (folder == "/" ? "/" : folder + "/") + temporaryName(for: name, digits: padded)
      let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
      if descriptor < 0 && errno == EEXIST { continue }
      guard descriptor >= 0 else { throw .last(path: destination, operation: "create") }
      // A file system without locks is no failure: nobody can ask there whether the writer is alive.
      _ = flock(descriptor, LOCK_EX | LOCK_NB)
      return (path, descriptor)
    }
    throw FileError(path: destination, operation: "create", reason: "every name for a temporary file is taken")
  }

  private static let attempts = 100

  /// A target that could not be renamed to in the end: a name too long, a folder, a pipe, a device.
  private static func check(_ destination: String, name: String) throws(FileError) {
    if name.isEmpty { throw FileError(path: destination, operation: "create", reason: "it ends without a name") }
    var status = stat()
    guard unsafe stat(destination, &status) == 0 else {
      if errno == ENAMETOOLONG { throw .last(path: destination, operation: "create") }
      return
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return
    case S_IFDIR: throw FileError(path: destination, operation: "create", reason: "it is a folder")
    default: throw FileError(path: destination, operation: "create", reason: "it is a device or a pipe, no file")
    }
  }

  /// Where a path leads when every link at its end is followed; the file there need not exist.
  private static func followed(_ path: String) throws(FileError) -> String {
    var path = path
    for _ in 0..<40 {
      guard let target = try linkTarget(path) else { return path }
      path = target.hasPrefix("/") ? target : split(path).folder + "/" + target
    }
    throw FileError(path: path, operation: "create", reason: "its symbolic links lead to each other")
  }

  /// What a link holds; `nil` for anything else.
  private static func linkTarget(_ path: String) throws(FileError) -> String? {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    // SAFETY: the call writes at most as many bytes as the array has.
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      guard let start = buffer.baseAddress else { return 0 }
      return unsafe readlink(path, start.assumingMemoryBound(to: CChar.self), buffer.count)
    }
    guard count > 0 else { return nil }
    if let target = String(validating: bytes[..<count], as: UTF8.self) { return target }
    throw FileError(path: path, operation: "create", reason: "it is a link to a name that is not UTF-8")
  }

  /// The folder and the name in it; "." for a name alone.
  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
  }
}

/// Waits until the disk has what was written; whether it does.
///
/// A descriptor that cannot be waited for (a pipe's, some network file systems') counts as done.
private func synchronized(_ descriptor: Int32) -> Bool {
  while fsync(descriptor) != 0 {
    if errno == EINVAL || errno == ENOTSUP { return true }
    if errno != EINTR { return false }
  }
  return true
}

/// The system's write, which a method of the same name hides inside ``OutputFile``.
///
/// A file at the limit that was set for the process (`ulimit -f`) is an error like a full disk: the signal that comes
/// with it, whose default ends the process, is held back on this thread and taken away.
private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
  #if os(Linux)
    var (limit, before) = (sigset_t(), sigset_t())
    // SAFETY: the calls read and write the sets that are passed, and nothing else.
    unsafe sigemptyset(&limit)
    unsafe sigaddset(&limit, SIGXFSZ)
    unsafe pthread_sigmask(SIG_BLOCK, &limit, &before)
    let written = unsafe write(descriptor, start, count)
    let reason = errno
    if written < 0 && reason == EFBIG {
      var now = timespec()
      _ = unsafe sigtimedwait(&limit, nil, &now)
    }
    unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    errno = reason
    return written
  #else
    unsafe write(descriptor, start, count)
  #endif
}
