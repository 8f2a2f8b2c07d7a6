import Files
public import Tensors

/// Writes a checkpoint as numbered safetensors files and the index that joins them, as a stream.
///
/// `stem` gives `stem-00001-of-00003.safetensors` and `stem.safetensors.index.json`. All files take their names in
/// ``finish()``, the index last.
public struct ShardedSafetensorsWriter: ~Copyable {
  private let folder: String
  private let stem: String
  private let shards: [[SafetensorsWriter.Entry]]
  private var shard = 0
  private var position = 0
  private var written = 0
  private var writer: SafetensorsWriter?
  private var complete: [OutputFile] = []

  /// - Parameter shardByteCount: the most that a shard's elements may take, unless one tensor takes more.
  public init(
    folder: String, stem: String, entries: [SafetensorsWriter.Entry], shardByteCount: Int
  ) throws(CheckpointError) {
    self.folder = folder
    self.stem = stem
    shards = Self.plan(entries, shardByteCount: shardByteCount)
    try openNext()
    try settle()
  }

  /// Writes the next entry whole; one without elements needs no turn.
  public mutating func write(_ tensor: Tensor, as name: String) throws(CheckpointError) {
    if tensor.count == 0 { return }
    guard shard < shards.count, written == 0, shards[shard][position].name == name,
      shards[shard][position].fits(tensor)
    else { throw CheckpointError(path: folder, at: .key(name), "this is not the tensor whose turn it is") }
    try tensor.withBytes { (bytes: Span<UInt8>) throws(CheckpointError) in try write(bytes) }
  }

  /// Writes the next bytes of the entry whose turn it is; see ``SafetensorsWriter/write(_:)``.
  public mutating func write(_ bytes: Span<UInt8>) throws(CheckpointError) {
    if bytes.isEmpty { return }
    try writer?.write(bytes)
    guard shard < shards.count else {
      throw CheckpointError(path: folder, "\(bytes.count) bytes behind the last tensor")
    }
    written += bytes.count
    if written == shards[shard][position].byteCount {
      (position, written) = (position + 1, 0)
      try settle()
    }
  }

  /// Gives all files their names; every entry must have been written.
  public consuming func finish() throws(CheckpointError) {
    guard shard == shards.count else {
      throw CheckpointError(path: folder, at: .key(shards[shard][position].name), "its elements are not all there")
    }
    do throws(FileError) {
      let index = try OutputFile(path: path("\(stem).safetensors.index.json"))
      try index.write(Array(indexText.utf8).span)
      for file in complete + [index] { try file.commit() }
    } catch {
      throw CheckpointError(error)
    }
  }

  /// Goes on to the next entry that has elements, over the ends of shards.
  private mutating func settle() throws(CheckpointError) {
    while shard < shards.count {
      while position < shards[shard].count, shards[shard][position].byteCount == 0 { position += 1 }
      guard position == shards[shard].count else { return }
      if let writer = writer.take() { complete.append(try writer.closed()) }
      (shard, position) = (shard + 1, 0)
      try openNext()
    }
  }

  private mutating func openNext() throws(CheckpointError) {
    guard shard < shards.count else { return }
    writer = try SafetensorsWriter(path: path(shardName(shard)), entries: shards[shard])
  }

  private func path(_ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  private func shardName(_ shard: Int) -> String {
    func digits(_ number: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
    return "\(stem)-\(digits(shard + 1))-of-\(digits(shards.count)).safetensors"
  }

  private var indexText: String {
    let total = shards.joined().reduce(0) { $0 + $1.byteCount }
    let map = shards.indices.flatMap { shard in
      shards[shard].map { "    \($0.name.jsonQuoted): \(shardName(shard).jsonQuoted)" }
    }
    return """
      {
        "metadata": {"total_size": \(total)},
        "weight_map": {
      \(map.joined(separator: ",\n"))
        }
      }

      """
  }

  private static func plan(
    _ entries: [SafetensorsWriter.Entry], shardByteCount: Int
  ) -> [[SafetensorsWriter.Entry]] {
    var shards: [[SafetensorsWriter.Entry]] = []
    var size = 0
    for entry in entries {
      if shards.isEmpty || size + entry.byteCount > shardByteCount {
        shards.append([])
        size = 0
      }
      shards[shards.count - 1].append(entry)
      size += entry.byteCount
    }
    return shards
  }
}
