#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

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
    guard let folder = unsafe opendir(path) else { throw .last(path: path, operation: "list") }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    var illegible: [String] = []
    errno = 0
    while let entry = unsafe readdir(folder) {
      let bytes = unsafe Self.name(entry)
      if bytes == [0x2E] || bytes == [0x2E, 0x2E] { continue }
      if let name = String(validating: bytes, as: UTF8.self) {
        names.append(name)
      } else {
        illegible.append(Self.legible(bytes))
      }
    }
    guard errno == 0 else { throw .last(path: path, operation: "list") }
    self.names = names.sorted()
    self.illegible = illegible.sorted()
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
