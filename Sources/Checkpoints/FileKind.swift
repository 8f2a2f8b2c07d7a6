import Tensors

/// What a file is, by its first bytes and its name.
enum FileKind {
  case safetensors
  case shardIndex
  case torchArchive

  init(_ storage: Storage, path: String) throws(CheckpointError) {
    try Self.refuseLegacyPickle(storage, path: path)
    let name = path.lowercased()
    if storage.begins(with: "PK\u{3}\u{4}") || storage.begins(with: "PK\u{5}\u{6}") {
      self = .torchArchive
    } else if let foreign = Self.foreign.first(where: { storage.begins(with: $0.magic) }) {
      throw CheckpointError(path: path, "this is \(foreign.what)", advice: foreign.advice)
    } else if storage.byteCount == 0 {
      throw CheckpointError(path: path, "the file is empty", advice: CheckpointError.downloadAgain)
    } else if name.hasSuffix(".safetensors") || storage.looksLikeSafetensors {
      self = .safetensors
    } else if name.hasSuffix(".json") {
      self = .shardIndex
    } else if [".pth", ".pt", ".bin", ".ckpt"].contains(where: name.hasSuffix) {
      self = .torchArchive
    } else {
      throw CheckpointError(
        path: path,
        "this is neither a safetensors file, nor the index of a sharded one, nor a zip archive of torch.save",
        advice: "give a .safetensors, .safetensors.index.json or .pth file, or a folder that holds one")
    }
  }

  /// Fails on the format that torch wrote before version 1.6: bare pickles, without an archive around them.
  static func refuseLegacyPickle(_ storage: Storage, path: String) throws(CheckpointError) {
    guard storage.byteCount >= 3, storage[byteAt: 0] == 0x80, (2...5).contains(storage[byteAt: 1]),
      !storage.looksLikeSafetensors
    else { return }
    throw CheckpointError(
      path: path, at: .byte(0), "this is a bare pickle, the format of torch.save before version 1.6",
      advice: "convert it with Python: torch.save(torch.load(path, weights_only=True), path)")
  }

  private static let foreign: [(magic: String, what: String, advice: String)] = [
    ("GGUF", "a GGUF file", "give a safetensors or .pth file"),
    ("version https://git-lfs", "a pointer of git-lfs, not the file itself", "fetch it with: git lfs pull"),
    ("<!DOCTYPE", "a web page", "the download failed: download the file again"),
    ("<html", "a web page", "the download failed: download the file again"),
  ]
}

extension Storage {
  fileprivate func begins(with text: String) -> Bool {
    byteCount >= text.utf8.count && zip(0..., text.utf8).allSatisfy { self[byteAt: $0] == $1 }
  }

  /// A length below 2^32, then an opening brace.
  fileprivate var looksLikeSafetensors: Bool {
    byteCount > 8 && (4..<8).allSatisfy { self[byteAt: $0] == 0 } && self[byteAt: 8] == UInt8(ascii: "{")
  }
}
