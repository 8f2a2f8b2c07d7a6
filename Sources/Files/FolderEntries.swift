#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The names in a folder as the system gives them, without those of the folder itself and the one above.
///
/// Foundation's listing mends a name that is not UTF-8; what it gives then is no file's name any more.
public enum FolderEntries {
  /// In the system's order.
  ///
  /// - Returns: `nil` when there is no such folder, or it cannot be listed; `errno` then says why.
  public static func bytes(in folder: String) -> [[UInt8]]? {
    guard let stream = unsafe opendir(folder) else { return nil }
    var names: [[UInt8]] = []
    errno = 0
    while let entry = unsafe readdir(stream) {
      let name = unsafe Self.name(entry)
      if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
      errno = 0
    }
    let reason = errno
    unsafe closedir(stream)
    errno = reason
    return reason == 0 ? names : nil
  }

  /// Those that are UTF-8.
  static func names(in folder: String) -> [String]? {
    bytes(in: folder)?.compactMap { String(validating: $0, as: UTF8.self) }
  }

  private static func name(_ entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
    // SAFETY: the system ends every name with a zero; the entry is used before the next call of readdir.
    let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
    var next = unsafe UnsafeRawPointer(entry) + offset
    var bytes: [UInt8] = []
    while true {
      let byte = unsafe next.load(as: UInt8.self)
      if byte == 0 { return bytes }
      bytes.append(byte)
      unsafe next += 1
    }
  }
}
