import Files

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
