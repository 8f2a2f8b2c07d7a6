import Files
import Tensors

// Which of a folder's files is its checkpoint, and why none is.

extension FolderNames {
  private static let usual = "diffusion_pytorch_model.safetensors"

  /// The path of the one checkpoint in a folder of these names; `nil` where nothing is like one.
  func checkpoint(in folder: String) throws(CheckpointError) -> String? {
    let (indices, singles) = (self.indices, self.singles)
    for candidates in [
      singles.filter { $0 == Self.usual }, indices.filter { $0 == Self.usual + ".index.json" }, indices,
    ]
    where candidates.count == 1 { return folder.joined(candidates[0]) }
    if let damage = damagedCheckpoint(in: folder) { throw damage }
    if indices.isEmpty, singles.count <= 1 { return singles.first.map(folder.joined) }
    throw CheckpointError(
      path: folder, "the folder holds several checkpoints: \((indices + singles).quotedList())",
      advice: "name the one to use")
  }

  /// What is wrong where no safetensors file or index can be taken.
  func damagedCheckpoint(in folder: String) -> CheckpointError? {
    guard indices.isEmpty, !names.contains(Self.usual) else { return nil }
    if let shard = singles.lazy.compactMap(ShardName.init).first { return noIndex(shard, in: folder) }
    return singles.isEmpty ? substitute(in: folder) : nil
  }

  private var indices: [String] { own(".safetensors.index.json") }
  private var singles: [String] { own(".safetensors") }

  /// Without what macOS writes beside every file on disks that are not its own: `._x`.
  private func own(_ ending: String) -> [String] {
    names.filter { $0.hasSuffix(ending) && !$0.hasPrefix("._") }
  }

  /// A folder's checkpoint that is there under a name or in a state in which it cannot be used.
  private func substitute(in folder: String) -> CheckpointError? {
    if names.contains("data.pkl") || names.prefix(4).contains(where: { Self.holdsPickle(folder.joined($0)) }) {
      return CheckpointError(
        path: folder, "this is an unpacked archive of torch.save", advice: "give the .pth file itself; do not unpack it"
      )
    }
    if let part = names.first(where: { $0.contains(".safetensors") && UnfinishedDownload.isName($0) })
      ?? UnfinishedDownload.trace(of: Self.usual, in: folder, names: names)
    {
      return CheckpointError(
        path: folder, "its checkpoint is an unfinished download: '\(part)'",
        advice: "let the downloader finish it, or download it again")
    }
    if let name = illegible.first(where: { $0.hasSuffix(".safetensors") || $0.hasSuffix(".index.json") }) {
      return CheckpointError(
        path: folder, "the name of its checkpoint, '\(name)', is not UTF-8", advice: "rename the file")
    }
    if let name = names.first(where: { $0.hasPrefix("._") && $0.hasSuffix(".safetensors") }) {
      return CheckpointError(
        path: folder,
        "'\(name)' is what macOS keeps beside '\(name.dropFirst(2))'; the checkpoint itself is not there",
        advice: "copy '\(name.dropFirst(2))' too")
    }
    if let name = names.first(where: { $0.lowercased().hasSuffix(".gguf") }) {
      return CheckpointError(
        path: folder, "its checkpoint '\(name)' is a GGUF file, which is not read yet",
        advice: "give the checkpoint as a safetensors or .pth file")
    }
    return nil
  }

  private static func holdsPickle(_ folder: String) -> Bool {
    (try? FolderNames(path: folder))?.names.contains("data.pkl") == true
  }

  private func noIndex(_ shard: ShardName, in folder: String) -> CheckpointError {
    let present = Set(names.lazy.compactMap(ShardName.init).filter { $0.isBeside(shard) }.map(\.number))
    let absent = shard.count - present.count
    let first = (1...shard.count).lazy.filter { !present.contains($0) }.prefix(8).map(shard.name(ofShard:))
    let list = first.quotedList() + (absent > 8 ? " and \(absent - 8) more" : "")
    return CheckpointError(
      path: folder,
      "the index '\(shard.index)' of these \(shard.count) shards is missing"
        + (absent == 0 ? "" : ", and so \(absent == 1 ? "is" : "are") \(list)"),
      advice: "download \(absent == 0 ? "it" : "them") into the same folder")
  }

  func noCheckpoint(in folder: String) -> CheckpointError {
    CheckpointError(
      path: folder,
      "the folder holds no safetensors file" + (names.isEmpty ? "" : ", but \(names.quotedList())"),
      advice: "name the file itself, or download the model again")
  }
}

extension String {
  /// The path of a file in the folder of this path.
  func joined(_ name: String) -> String {
    hasSuffix("/") ? self + name : self + "/" + name
  }
}
