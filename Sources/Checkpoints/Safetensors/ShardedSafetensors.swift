import Files
public import Tensors

/// Several safetensors files that an index joins into one checkpoint.
public struct ShardedSafetensors: WeightSource {
  public let location: String
  public let names: [String]
  private let shards: [String: SafetensorsFile]
  private let shardOfTensor: [String: String]

  /// - Parameter path: the `.index.json`; its shards lie beside it.
  public init(index path: String) throws(CheckpointError) {
    let prefix = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let folder = prefix.isEmpty ? "." : prefix
    try self.init(openFile(path: path, expecting: .json), location: path, folder: folder) {
      (file: String) throws(CheckpointError) in
      try SafetensorsFile(openFile(path: prefix + file, expecting: .checkpoint), location: prefix + file)
    }
  }

  /// Reads an index's bytes wherever they lie; `open` gives the shard of a name.
  public init(
    _ index: Storage, location: String, open: (String) throws(CheckpointError) -> SafetensorsFile
  ) throws(CheckpointError) {
    try self.init(index, location: location, folder: nil, open: open)
  }

  /// - Parameter folder: where the shards should lie, to tell those that are not there from those that are damaged.
  private init(
    _ index: Storage, location: String, folder: String?, open: (String) throws(CheckpointError) -> SafetensorsFile
  ) throws(CheckpointError) {
    let index = try ShardIndex(parsing: CheckpointCursor(index, in: 0..<index.byteCount, path: location))
    if let folder { try Self.checkPresence(of: Set(index.placements.map(\.file)), in: folder, location: location) }
    shards = try Self.shards(index, location: location, open: open)
    try Self.check(index, shards)
    names = index.placements.map(\.tensor)
    shardOfTensor = Dictionary(index.placements.map { ($0.tensor, $0.file) }) { first, _ in first }
    self.location = location
  }

  /// Texts beside the tensors, shard by shard.
  public var metadata: [(key: String, value: String)] {
    shards.keys.sorted().flatMap { shards[$0]?.metadata ?? [] }
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

  public func matrix(_ name: String) throws(WeightError) -> StoredMatrix {
    guard let shard = shard(of: name) else { throw .missing(name: name, location: location) }
    return companions(of: name).isEmpty ? try shard.matrix(name) : try storedMatrix(name)
  }

  /// Fails with the names of all shards that are not there, unless links stand for them.
  private static func checkPresence(
    of files: Set<String>, in folder: String, location: String
  ) throws(CheckpointError) {
    guard let listing = try? FolderNames(path: folder) else { return }
    let absent = files.subtracting(listing.names).sorted()
    guard !absent.isEmpty else { return }
    let part = absent.lazy.compactMap { UnfinishedDownload.trace(of: $0, in: folder, names: listing.names) }.first
    throw CheckpointError(
      path: location,
      "\(absent.count) of its \(files.count) shard\(files.count == 1 ? "" : "s") "
        + "\(absent.count == 1 ? "is" : "are") missing: \(absent.quotedList())"
        + (part.map { "; '\($0)' is an unfinished download" } ?? ""),
      advice: "download \(absent.count == 1 ? "it" : "them") into the same folder")
  }

  private func shard(of name: String) -> SafetensorsFile? {
    shardOfTensor[name].flatMap { shards[$0] }
  }

  /// Every tensor must be in the shard that the index names.
  private static func check(_ index: ShardIndex, _ shards: [String: SafetensorsFile]) throws(CheckpointError) {
    var absent: [String: [String]] = [:]
    for (tensor, file) in index.placements where shards[file]?.descriptor(tensor) == nil {
      absent[file, default: []].append(tensor)
    }
    guard let (file, tensors) = absent.min(by: { $0.key < $1.key }) else { return }
    throw CheckpointError(
      path: shards[file]?.location ?? file,
      "the shard lacks tensors that the index places in it: " + tensors.quotedList(),
      advice: "index and shards are of different checkpoints, or a shard is old: download them again")
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
