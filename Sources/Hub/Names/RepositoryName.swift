/// The name of a model on the hub: `OWNER/NAME`; a few old ones have no owner.
public struct RepositoryName: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// As it is written.
  public let description: String

  private static let longest = 96
  private static let folderPrefix = "models--"

  /// - Returns: `nil` for what is no such name: letters, digits, `-`, `_` and `.`, at most 96 of them on each side of the
  ///   slash, of which `-` and `.` stand neither first nor last nor doubled.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy(Self.isPart), !text.hasSuffix(".git") else { return nil }
    description = text
  }

  /// The name that a folder of the hub's cache stands for.
  ///
  /// - Returns: `nil` for another folder.
  public init?(folder: String) {
    guard folder.hasPrefix(Self.folderPrefix) else { return nil }
    self.init(String(folder.dropFirst(Self.folderPrefix.count)).replacing("--", with: "/", maxReplacements: 1))
  }

  /// Whether it has an owner.
  public var hasOwner: Bool { description.utf8.contains(UInt8(ascii: "/")) }

  /// Its folder in the hub's cache: `models--OWNER--NAME`.
  public var folder: String { Self.folderPrefix + description.replacing("/", with: "--") }

  /// In the order of their letters.
  public static func < (a: RepositoryName, b: RepositoryName) -> Bool { a.description < b.description }

  private static func isPart(_ part: Substring) -> Bool {
    let bytes = Array(part.utf8)
    guard let first = bytes.first, let last = bytes.last, bytes.count <= longest else { return false }
    let isDoubled = part.contains("--") || part.contains("..")
    return !isDoubled && isWord(first) && isWord(last)
      && bytes.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch Unicode.Scalar(byte) {
    case "0"..."9", "a"..."z", "A"..."Z", "_": true
    default: false
    }
  }
}
