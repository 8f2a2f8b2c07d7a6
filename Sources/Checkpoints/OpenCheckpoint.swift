import Foundation
public import Tensors

/// Opens a checkpoint of any kind: by content first, then by name. Only headers are read.
///
/// - Parameter path: a safetensors file; the `.index.json` of a sharded one; a zip archive of `torch.save` (.pth, .pt,
///   .bin); or a folder that holds `diffusion_pytorch_model.safetensors`, its index, or exactly one safetensors file
///   or index.
public func openCheckpoint(path: String) throws(CheckpointError) -> any WeightSource {
  let listing = try? FileManager.default.contentsOfDirectory(atPath: path).sorted()
  let file = try listing.map { files throws(CheckpointError) in try checkpoint(among: files, in: path) } ?? path
  let storage = try MappedFile(checkpoint: file).storage
  switch try FileKind(storage, path: file) {
  case .safetensors: return try SafetensorsFile(storage, location: file)
  case .shardIndex: return try ShardedSafetensors(index: file)
  case .torchArchive: return try TorchArchive(storage, location: file)
  }
}

/// The one checkpoint that a folder of these files holds.
private func checkpoint(among files: [String], in folder: String) throws(CheckpointError) -> String {
  let usual = "diffusion_pytorch_model.safetensors"
  let indices = files.filter { $0.hasSuffix(".safetensors.index.json") }
  let singles = files.filter { $0.hasSuffix(".safetensors") }
  for candidates in [files.filter { $0 == usual }, indices.filter { $0 == usual + ".index.json" }, indices, singles]
  where candidates.count == 1 {
    return folder.hasSuffix("/") ? folder + candidates[0] : folder + "/" + candidates[0]
  }
  let found = indices + singles
  throw CheckpointError(
    path: folder,
    found.isEmpty
      ? "the folder holds no safetensors file" + (files.isEmpty ? "" : ", but \(files.quotedList())")
      : "the folder holds several checkpoints: \(found.quotedList())",
    advice: found.isEmpty ? "name the file itself, or download the model again" : "name the one to use")
}
