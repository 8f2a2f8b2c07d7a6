import Checkpoints
import Files
import Tensors
import Tokenization

/// A model's tokenizer in the forms that files of other layouts want.
struct TokenizerFiles: Sendable {
  /// Files of a tokenizer's folder, by name.
  private(set) var files: [(name: String, bytes: [UInt8])] = []
  /// spiece.model, where the pieces are known.
  private(set) var spiece: [UInt8]?
  private let path: String

  private static let names = [
    "tokenizer.json", "spiece.model", "tokenizer_config.json", "special_tokens_map.json",
  ]

  /// - Parameter path: as ``TokenizerPlace/open(_:)`` takes it.
  init(_ path: String) throws {
    self.path = path
    if FolderListing.isFolder(path) {
      let folder = try FolderListing(path)
      for name in Self.names where folder.contains(name) { try add(name, Paths.join(path, name)) }
    } else if path.lowercased().hasSuffix(".json") {
      try add("tokenizer.json", path)
    } else if path.lowercased().hasSuffix(".model") {
      try add("spiece.model", path)
    } else {
      try addInner(of: path)
    }
  }

  /// A tokenizer.json that lies nowhere.
  init(json: String) {
    (path, files) = ("tokenizer.json", [("tokenizer.json", Array(json.utf8))])
  }

  private mutating func add(_ name: String, _ path: String) throws {
    let bytes = try openFile(path: path, expecting: name == "spiece.model" ? .sentencePiece : .json).bytes
    files.append((name, bytes))
    if name == "spiece.model" { spiece = bytes }
  }

  /// The tokenizer inside a text encoder's file.
  private mutating func addInner(of path: String) throws {
    let source = try openCheckpoint(path: path)
    if let file = source as? GGUFFile {
      spiece = try file.sentencePieces().serialized
    } else {
      spiece = try source.tensor("spiece_model").withBytes { span in span.indices.map { span[$0] } }
    }
    if let spiece { files.append(("spiece.model", spiece)) }
  }

  /// The pieces as a tensor beside a text encoder's own, as ComfyUI wants them.
  var tensor: Tensor? {
    spiece.map { Tensor(bytes: $0) }
  }

  /// The pieces as free values of a GGUF file; none where they are not known.
  ///
  /// - Parameter rows: of the text encoder's table, which has more of them than there are pieces.
  func values(rows: Int) throws -> [(key: String, value: GGUFWriter.Value)] {
    guard let spiece else { return [] }
    let model = try SentencePieceModel(parsing: spiece, file: path)
    let padding = (0..<max(0, rows - model.pieces.count))
    let kinds = model.kinds.map { Int32(clamping: $0) } + padding.map { _ in 5 }
    var values: [(key: String, value: GGUFWriter.Value)] = [
      ("model", .string("t5")), ("pre", .string("default")),
      ("tokens", .strings(model.pieces + padding.map { "[PAD\($0 + model.pieces.count)]" })),
      ("scores", .numbers(model.scores + padding.map { _ in -10_000 })), ("token_type", .integers(kinds)),
      ("add_space_prefix", .bool(model.addsPrefix)), ("remove_extra_whitespaces", .bool(model.removesSpaces)),
    ]
    if !model.characterMap.isEmpty { values.append(("precompiled_charsmap", .bytes(model.characterMap))) }
    for (key, id) in [("eos", model.end), ("unknown", model.unknown), ("padding", model.padding)] where id >= 0 {
      values.append(("\(key)_token_id", .integer(UInt32(id))))
    }
    values += [("add_bos_token", .bool(false)), ("add_eos_token", .bool(true))]
    return values.map { ("tokenizer.ggml." + $0.key, $0.value) }
  }

  /// The files of a tokenizer's folder, and for diffusers what its class wants to know.
  func folder(forDiffusers: Bool) -> [(name: String, bytes: [UInt8])] {
    guard forDiffusers, !files.contains(where: { $0.name == "tokenizer_config.json" }) else { return files }
    let text = """
      {
        "eos_token": "</s>",
        "extra_ids": 0,
        "pad_token": "<pad>",
        "tokenizer_class": "T5Tokenizer",
        "unk_token": "<unk>"
      }

      """
    return files + [("tokenizer_config.json", Array(text.utf8))]
  }
}
