#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The place that a file will take, looked at before the work that fills it.
///
/// A link is followed: its destination is replaced, the link stays. Everything that can be known beforehand to keep a
/// finished file from its name is found here; see ``check()``.
public struct OutputTarget: Sendable, Hashable {
  /// As it was asked for, for messages.
  public let given: String
  /// Where links lead.
  public let path: String

  private static let deepest = 40

  /// - Throws: ``OutputError`` for links that lead in a circle, or to a name that is not UTF-8.
  public init(_ given: String) throws(OutputError) {
    self.given = given
    var path = given
    for _ in 0..<Self.deepest {
      guard let destination = try Self.destination(of: path) else {
        self.path = path
        return
      }
      path = destination
    }
    throw OutputError("its links lead in a circle")
  }

  /// The entry itself: a link there is replaced, not followed.
  public init(entry path: String) { (given, self.path) = (path, path) }

  /// What bears the name now.
  public var status: FileStatus? { FileStatus(path: path, followingLinks: false) }

  /// Checks folder, name, and what bears the name.
  ///
  /// - Throws: ``OutputError`` for a folder that is missing, closed or append-only; a name that is empty or too long; a
  ///   folder, pipe, device or socket in its place; a file that is immutable, another user's in a sticky folder, or a
  ///   mount of its own.
  public func check() throws(OutputError) {
    let folder = Paths.folder(of: path)
    guard let parent = FileStatus(path: folder), parent.kind == .folder else {
      throw OutputError("there is no folder '\(folder)': create it first")
    }
    if let status { try check(status, in: parent) }
    try checkName(folder)
    guard !Attributes.isFixed(folder) else {
      throw OutputError(
        "its folder '\(folder)' is immutable or append-only (chattr), so that nothing gets a name there")
    }
    guard unsafe access(folder, W_OK | X_OK) == 0 else {
      throw OutputError("its folder '\(folder)' cannot be written to (\(systemReason())); check its permissions")
    }
  }

  private func checkName(_ folder: String) throws(OutputError) {
    let name = Paths.name(of: path)
    guard !name.isEmpty, name != ".", name != ".." else { throw OutputError("it ends in no file name") }
    let limit = unsafe pathconf(folder, Int32(_PC_NAME_MAX))
    let longest = limit > 0 ? limit : 255
    guard name.utf8.count <= longest else {
      throw OutputError("its name has \(name.utf8.count) bytes, its folder takes \(longest): shorten it")
    }
    guard !path.utf8.contains(0) else { throw OutputError("its name holds a zero byte") }
  }

  private func check(_ status: FileStatus, in parent: FileStatus) throws(OutputError) {
    switch status.kind {
    case .folder: throw OutputError("it is a folder")
    case .pipe: throw OutputError("it is a pipe, which a finished file would replace; name a file")
    case .device: throw OutputError("it is a device; name a file")
    case .socket: throw OutputError("it is a socket; name a file")
    case .file, .link: break
    }
    let user = geteuid()
    if parent.isSticky, user != 0, status.owner != user, parent.owner != user {
      throw OutputError("it belongs to another user, and in this folder only he may replace it: choose another name")
    }
    guard !Attributes.isFixed(path) else {
      throw OutputError("it is immutable or append-only (chattr): choose another name")
    }
    guard !Attributes.isMount(path) else {
      throw OutputError("something is mounted there, which no file can replace: write to a folder that is mounted")
    }
  }

  /// Where a link leads; `nil` for what is none.
  private static func destination(of path: String) throws(OutputError) -> String? {
    guard FileStatus(path: path, followingLinks: false)?.kind == .link else { return nil }
    var bytes = [CChar](repeating: 0, count: 4097)
    // SAFETY: at most one byte fewer than there is room for is written, so that a zero ends it.
    let count = unsafe bytes.withUnsafeMutableBufferPointer { room in
      unsafe room.baseAddress.map { unsafe readlink(path, $0, room.count - 1) } ?? 0
    }
    guard count > 0 else { return nil }
    let target = bytes.prefix(count).map { UInt8(bitPattern: $0) }
    guard let text = String(validating: target, as: UTF8.self) else {
      throw OutputError("it is a link to a name that is not UTF-8: rename that file")
    }
    return text.utf8.first == UInt8(ascii: "/") ? text : Paths.join(Paths.folder(of: path), text)
  }
}

/// What keeps a name as it is although permissions would let it go.
private enum Attributes {
  /// Whether a file or folder is marked immutable or append-only.
  static func isFixed(_ path: String) -> Bool {
    #if canImport(Darwin)
      var status = stat()
      guard unsafe lstat(path, &status) == 0 else { return false }
      return status.st_flags & UInt32(UF_IMMUTABLE | UF_APPEND | SF_IMMUTABLE | SF_APPEND) != 0
    #else
      let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { return false }
      defer { close(descriptor) }
      // FS_IOC_GETFLAGS of linux/fs.h fills an int, though its number says a long.
      var flags = 0
      guard unsafe ioctl(descriptor, 0x8008_6601, &flags) == 0 else { return false }
      let (immutable, appendOnly) = (0x10, 0x20)
      return flags & (immutable | appendOnly) != 0
    #endif
  }

  /// Whether a file system, or a single file, is mounted over a name.
  static func isMount(_ path: String) -> Bool {
    guard let resolved = unsafe realpath(path, nil) else { return false }
    defer { unsafe free(resolved) }
    // SAFETY: realpath gives a terminated string, copied here.
    let name = unsafe String(cString: resolved)
    return MountTable.points.contains(name)
  }
}

/// The places where something is mounted, from /proc/self/mountinfo; empty where there is none.
private enum MountTable {
  static var points: Set<String> {
    guard let stream = unsafe fopen("/proc/self/mountinfo", "re") else { return [] }
    defer { unsafe fclose(stream) }
    var points: Set<String> = []
    var line: UnsafeMutablePointer<CChar>?
    var room = 0
    // SAFETY: getline allocates the line, terminates it, and reuses it; it is freed once.
    while unsafe getline(&line, &room, stream) > 0 {
      guard let text = unsafe line.map({ unsafe String(cString: $0) }) else { break }
      let fields = text.split(separator: " ")
      if fields.count > 4 { points.insert(unescaped(fields[4])) }
    }
    unsafe free(line)
    return points
  }

  /// Space, tab, line feed and backslash stand as \040, \011, \012 and \134.
  private static func unescaped(_ field: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3,
        let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
      {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
