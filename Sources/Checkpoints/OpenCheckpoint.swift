import Files
public import Tensors

/// Opens a checkpoint of any kind: by content first, then by name. Only headers are read.
///
/// Matrices that a safetensors file stores as small numbers and scales are seen as what they stand for.
///
/// - Parameter path: a safetensors file; the `.index.json` of a sharded one; a GGUF file; a zip archive of `torch.save`
///   (.pth, .pt, .bin); or a folder that holds `diffusion_pytorch_model.safetensors`, its index, or exactly one safetensors file
///   or index.
public func openCheckpoint(path: String) throws(CheckpointError) -> any WeightSource {
  guard let listing = try? FolderNames(path: path) else { return try openCheckpointFile(path) }
  guard let file = try listing.checkpoint(in: path) else { throw listing.noCheckpoint(in: path) }
  return try openCheckpointFile(file)
}

/// Why the checkpoint of a folder is not all there: shards without their index, an unfinished download, only macOS's
/// companion of it. `nil` where there is one, several, or nothing like one.
public func damagedCheckpoint(inFolder path: String) -> CheckpointError? {
  (try? FolderNames(path: path))?.damagedCheckpoint(in: path)
}

private func openCheckpointFile(_ file: String) throws(CheckpointError) -> any WeightSource {
  let storage = try openFile(path: file, expecting: FileKind.isJSON(file) ? .json : .checkpoint)
  switch try FileKind(storage, path: file) {
  case .safetensors:
    let source = try SafetensorsFile(storage, location: file)
    return try ScaledSource.wrapping(source, metadata: source.metadata)
  case .shardIndex:
    let source = try ShardedSafetensors(index: file)
    return try ScaledSource.wrapping(source, metadata: source.metadata)
  case .gguf: return try GGUFFile(storage, location: file)
  case .torchArchive: return try TorchArchive(storage, location: file)
  }
}
