public import Tensors

/// Several safetensors files that an index joins into one checkpoint.
public struct ShardedSafetensors: WeightSource {
  public let location: String
  public let names: [String]
  private let shards: [String: SafetensorsFile]
  private let shardOfTensor: [String: String]

  /// - Parameter path: the `.index.json`; its shards lie beside it.
  public init(index path: String) throws(CheckpointError) {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let prefix = path.contains("/") ? folder + "/" : ""
    try self.init(MappedFile(checkpoint: path).storage, location: path) { (file: String) throws(CheckpointError) in
      try SafetensorsFile(path: prefix + file)
    }
  }

  /// Reads an index's bytes wherever they lie; `open` gives the shard of a name.
  public init(
    _ index: Storage, location: String, open: (String) throws(CheckpointError) -> SafetensorsFile
  ) throws(CheckpointError) {
    let index = try ShardIndex(parsing: ByteCursor(index, in: 0..<index.byteCount, path: location))
    shards = try Self.shards(index, location: location, open: open)
    for (file, shard) in shards {
      let present = Set(shard.names)
      let absent = index.placements.filter { $0.file == file && !present.contains($0.tensor) }
      guard absent.isEmpty else {
        throw CheckpointError(
          path: shard.location,
          "the shard lacks tensors that the index places in it: "
            + absent.lazy.map(\.tensor).quotedList(),
          advice: "index and shards are of different checkpoints, or a shard is old: download them again")
      }
    }
    names = index.placements.map(\.tensor)
    shardOfTensor = Dictionary(index.placements.map { ($0.tensor, $0.file) }) { first, _ in first }
    self.location = location
  }

  /// Texts beside the tensors, shard by shard.
  public var metadata: [(key: String, value: String)] {
    shards.keys.sorted().flatMap { shards[$0]?.metadata ?? [] }
  }

  /// The element type by the file's own name for it; see ``SafetensorsFile/storedType(_:)``.
  public func storedType(_ name: String) -> String? {
    shard(of: name)?.storedType(name)
  }

  public func descriptor(_ name: String) -> TensorDescriptor? {
    shard(of: name)?.descriptor(name)
  }

  /// The index and its shards.
  public var files: [String] { [location] + shards.values.map(\.location).sorted() }

  public func discardCachedPages() {
    for shard in shards.values { shard.discardCachedPages() }
  }

  public func tensor(_ name: String) throws(WeightError) -> Tensor {
    guard let shard = shard(of: name) else { throw .missing(name: name, location: location) }
    return try shard.tensor(name)
  }

  private func shard(of name: String) -> SafetensorsFile? {
    shardOfTensor[name].flatMap { shards[$0] }
  }

  private static func shards(
    _ index: ShardIndex, location: String, open: (String) throws(CheckpointError) -> SafetensorsFile
  ) throws(CheckpointError) -> [String: SafetensorsFile] {
    var shards: [String: SafetensorsFile] = [:]
    var failures: [String: CheckpointError] = [:]
    for file in Set(index.placements.map(\.file)).sorted() {
      do throws(CheckpointError) { shards[file] = try open(file) } catch { failures[file] = error }
    }
    if failures.isEmpty { return shards }
    if failures.count == 1, let failure = failures.first?.value { throw failure }
    throw CheckpointError(
      path: location,
      "\(failures.count) of its shards cannot be opened: \(failures.keys.sorted().quotedList()); first "
        + failures.sorted { $0.key < $1.key }.prefix(1).map(\.value.description).joined())
  }
}
