import Files
public import Tensors

/// A `.pth` checkpoint: a zip archive of raw storages and a pickle that names them, as `torch.save` has written since
/// torch 1.6. Nothing in the pickle is executed: its instructions build data from a short list of names.
public struct TorchArchive: WeightSource {
  public let location: String
  public let names: [String]
  private let entries: [String: TorchEntry]
  private let storage: Storage

  /// Maps the file and reads its zip directory and pickle; elements stay on disk.
  ///
  /// - Throws: ``CheckpointError`` at the byte, tensor or instruction that is wrong; also for torch before 1.6.
  public init(path: String) throws(CheckpointError) {
    try self.init(openFile(path: path, expecting: .checkpoint), location: path)
  }

  /// Reads an archive's bytes wherever they lie; `location` names them in errors.
  public init(_ storage: Storage, location: String) throws(CheckpointError) {
    try FileKind.refuseLegacyPickle(storage, path: location)
    let archive = try ZipArchive(storage, path: location)
    let pickle = try Self.pickle(in: archive)
    let root = String(pickle.name.dropLast("data.pkl".count))
    try Self.checkByteOrder(archive, root: root)
    let state = try TorchState(PickleMachine.run(archive.open(pickle)), path: location)
    var entries: [String: TorchEntry] = [:]
    var total = 0
    for (name, view) in state.views {
      guard let content = archive.entries[root + "data/" + view.storage.key] else {
        throw CheckpointError(
          path: location, at: .key(name), "the archive lacks its storage 'data/\(view.storage.key)'",
          advice: CheckpointError.downloadAgain)
      }
      let entry = try TorchEntry(view, name: name, content: content.range, path: location)
      guard entry.byteCount <= Self.largestTotal - total else {
        throw CheckpointError(
          path: location, at: .key(name), "the tensors up to this one claim more than \(Self.largestTotal) bytes")
      }
      total += entry.byteCount
      entries[name] = entry
    }
    self.entries = entries
    self.storage = storage
    self.location = location
    names = state.views.map(\.name)
  }

  /// Views may share a storage, so that a file can claim more than it has: an exbibyte is where sums stay numbers.
  private static let largestTotal = 1 << 60

  public func descriptor(_ name: String) -> TensorDescriptor? {
    entries[name].map { TensorDescriptor(shape: $0.shape, format: $0.format) }
  }

  public func discardCachedPages() { storage.discardCachedPages() }

  public func tensor(_ name: String) throws(WeightError) -> Tensor {
    guard let entry = entries[name] else { throw .missing(name: name, location: location) }
    guard let dtype = entry.format.dtype else { throw notRead(name) }
    return entry.tensor(in: storage, dtype: dtype)
  }

  private static func pickle(in archive: ZipArchive) throws(CheckpointError) -> ZipEntry {
    let found = archive.entries.values.filter { $0.name == "data.pkl" || $0.name.hasSuffix("/data.pkl") }
    let names = archive.entries.keys.sorted()
    if names.contains(where: { $0.hasSuffix("constants.pkl") }) {
      throw CheckpointError(
        path: archive.path, "this is a TorchScript program, not a checkpoint of torch.save",
        advice: "give a file that holds the tensors alone")
    }
    guard found.count == 1, let pickle = found.first else {
      throw CheckpointError(
        path: archive.path,
        "this zip archive is not one of torch.save: it has \(found.count) entries called data.pkl, and holds "
          + names.quotedList(limit: 4),
        advice: "unpack it where it was packed for the way, or give a file written by torch.save")
    }
    return pickle
  }

  private static func checkByteOrder(_ archive: ZipArchive, root: String) throws(CheckpointError) {
    guard let entry = archive.entries[root + "byteorder"] else { return }
    var bytes = archive.open(entry)
    let order = try bytes.text(min(bytes.remaining, 16))
    guard order == "little" else {
      throw CheckpointError(
        path: archive.path, at: .byte(entry.range.lowerBound), "its numbers are in '\(order)' byte order, not 'little'",
        advice: "save it again on a little-endian machine")
    }
  }
}
