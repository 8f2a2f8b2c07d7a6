#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The names in a folder as the system gives them, without those of the folder itself and the one above.
enum FolderEntries {
  /// In the system's order.
  ///
  /// - Returns: `nil` when there is no such folder, or it cannot be listed; `errno` then says why.
  static func bytes(in folder: String) -> [[UInt8]]? {
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

/// The names in a folder, byte for byte as the system gives them.
///
/// Foundation's listing mends a name that is not UTF-8; what it gives then is no file's name any more.
public struct FolderNames: Sendable {
  /// Those that are UTF-8, sorted.
  public let names: [String]
  /// Those that are not, for people to read: each byte that is no part of a character stands as `\xE9`. Sorted.
  public let illegible: [String]

  /// - Throws: ``FileError`` when there is no such folder, or it cannot be listed.
  public init(path: String) throws(FileError) {
    guard let entries = FolderEntries.bytes(in: path) else { throw .last(path: path, operation: "list") }
    var names: [String] = []
    var illegible: [String] = []
    for bytes in entries {
      if let name = String(validating: bytes, as: UTF8.self) {
        names.append(name)
      } else {
        illegible.append(Self.legible(bytes))
      }
    }
    self.names = names.sorted()
    self.illegible = illegible.sorted()
  }

  /// The name with `\x..` for each byte that is no part of a character.
  private static func legible(_ bytes: [UInt8]) -> String {
    var text = ""
    var rest = bytes[...]
    while let first = rest.first {
      let character = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self) }.first
      if let character {
        text += character
        rest = rest.dropFirst(character.utf8.count)
      } else {
        text += "\\x" + String(first, radix: 16, uppercase: true)
        rest = rest.dropFirst()
      }
    }
    return text
  }
}
