/// The name of one of several files that make up a checkpoint: `stem-00002-of-00003.safetensors`.
public struct ShardName: Sendable, Hashable {
  /// What the names of all shards begin with.
  public let stem: String
  /// From 1 to ``count``.
  public let number: Int
  /// How many shards there are.
  public let count: Int
  private let digits: Int
  private let ending: String

  /// `nil` for any other name, and where there is one shard only.
  public init?(_ name: String) {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let parts = name[..<dot].split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[parts.count - 2] == "of", let last = parts.last, last.utf8.count <= 6,
      let count = Int(last), let number = Int(parts[parts.count - 3]), 1...count ~= number, count > 1
    else { return nil }
    stem = parts.dropLast(3).joined(separator: "-")
    (self.number, self.count, digits, ending) = (number, count, last.utf8.count, String(name[dot...]))
  }

  /// The name of the checkpoint's index.
  public var index: String { "\(stem)\(ending).index.json" }

  /// The names of all shards, in order.
  public var all: [String] {
    (1...count).map { "\(stem)-\(padded($0))-of-\(padded(count))\(ending)" }
  }

  private func padded(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}
