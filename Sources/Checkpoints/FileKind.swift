import Tensors

/// What a checkpoint file is, by its first bytes and its name.
enum FileKind {
  case safetensors
  case shardIndex
  case torchArchive
  case gguf

  /// - Parameter storage: of ``openFile(path:expecting:)``, or the bytes of an index.
  init(_ storage: Storage, path: String) throws(CheckpointError) {
    try Self.refuseLegacyPickle(storage, path: path)
    let name = path.lowercased()
    if let companion = Self.companions.first(where: { $0.name == name.lastComponent }) {
      throw CheckpointError(
        path: path, "this is \(companion.what) of a model, which holds no tensors",
        advice: "give the model's folder, or the file of its tensors")
    }
    if storage.begins(with: "PK\u{3}\u{4}") || storage.begins(with: "PK\u{5}\u{6}") {
      self = .torchArchive
    } else if storage.begins(with: "GGUF") {
      self = .gguf
    } else if name.hasSuffix(".safetensors") || storage.looksLikeSafetensors {
      self = .safetensors
    } else if name.hasSuffix(".json") {
      self = .shardIndex
    } else if let known = FileSignature.endings.first(where: { name.hasSuffix($0.ending) }) {
      throw CheckpointError(
        path: path, "this is \(known.what), which is not read",
        advice: "give the checkpoint as safetensors, GGUF or .pth")
    } else if [".pth", ".pt", ".bin", ".ckpt"].contains(where: name.hasSuffix) {
      throw CheckpointError(
        path: path, "this is no archive of torch.save: it does not begin as a zip archive does",
        advice: CheckpointError.downloadAgain)
    } else {
      throw CheckpointError(
        path: path,
        "this is neither a safetensors file, nor the index of a sharded one, nor a GGUF file, nor a zip archive of "
          + "torch.save",
        advice: "give a .safetensors, .safetensors.index.json, .gguf or .pth file, or a folder that holds one")
    }
  }

  /// Files that lie beside checkpoints.
  private static let companions: [(name: String, what: String)] = [
    ("config.json", "the configuration"), ("configuration.json", "the configuration"),
    ("generation_config.json", "the defaults"), ("model_index.json", "the table of contents"),
    ("scheduler_config.json", "the schedule"), ("cinematography.json", "the words of prompts"),
    ("adapter_config.json", "the configuration of a LoRA"),
    ("tokenizer.json", "the tokenizer"), ("spiece.model", "the tokenizer"),
    ("tokenizer_config.json", "the configuration of the tokenizer"),
    ("special_tokens_map.json", "the configuration of the tokenizer"),
  ]

  /// Whether a file is expected to hold JSON by its name.
  static func isJSON(_ path: String) -> Bool {
    path.lowercased().hasSuffix(".json")
  }

  /// Fails on the format that torch wrote before version 1.6, a row of bare pickles, and on any other bare pickle.
  static func refuseLegacyPickle(_ storage: Storage, path: String) throws(CheckpointError) {
    guard storage.byteCount >= 3, storage[byteAt: 0] == 0x80, (2...5).contains(storage[byteAt: 1]),
      !storage.looksLikeSafetensors
    else { return }
    // The first of the row is the number 0x1950A86A20F9469CFC6C.
    let magic: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    let isTorch =
      storage.byteCount > magic.count + 16
      && (2...13).contains { start in
        magic.indices.allSatisfy { storage[byteAt: start + $0] == magic[$0] }
      }
    throw CheckpointError(
      path: path, at: .byte(0),
      isTorch
        ? "this is a bare pickle, the format of torch.save before version 1.6"
        : "this is a bare pickle, not an archive of torch.save",
      advice: TorchLegacy.convert)
  }
}

extension Storage {
  fileprivate func begins(with text: String) -> Bool {
    byteCount >= text.utf8.count && zip(0..., text.utf8).allSatisfy { self[byteAt: $0] == $1 }
  }

  /// A length below 2^32, then an opening brace.
  var looksLikeSafetensors: Bool {
    byteCount > 8 && (4..<8).allSatisfy { self[byteAt: $0] == 0 } && self[byteAt: 8] == UInt8(ascii: "{")
  }
}
