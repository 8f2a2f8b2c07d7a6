/// The name of one of several files that make up a checkpoint: `stem-00002-of-00003.safetensors`.
public struct ShardName: Sendable, Hashable {
  /// What the names of all shards begin with.
  public let stem: String
  /// From 1 to ``count``.
  public let number: Int
  /// How many shards there are.
  public let count: Int
  /// The fewest digits of a number, as it is written here, and the count as it is written.
  private let digits: Int
  private let writtenCount: String
  private let ending: String

  /// `nil` for any other name, and where there is one shard only.
  public init?(_ name: String) {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let parts = name[..<dot].split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[parts.count - 2] == "of", let last = parts.last, last.utf8.count <= 6,
      let count = Int(last), count > 1, let number = Int(parts[parts.count - 3]), 1...count ~= number
    else { return nil }
    stem = parts.dropLast(3).joined(separator: "-")
    (self.number, self.count, ending) = (number, count, String(name[dot...]))
    (digits, writtenCount) = (parts[parts.count - 3].utf8.count, String(last))
  }

  /// The name of the checkpoint's index.
  public var index: String { "\(stem)\(ending).index.json" }

  /// The name of another shard, written as this one's is.
  public func name(ofShard number: Int) -> String {
    let text = String(number)
    let zeros = String(repeating: "0", count: max(0, digits - text.utf8.count))
    return "\(stem)-\(zeros)\(text)-of-\(writtenCount)\(ending)"
  }

  /// Whether both are shards of one checkpoint.
  func isBeside(_ other: ShardName) -> Bool {
    count == other.count && stem == other.stem && ending == other.ending
  }
}
