import Checkpoints
import Tensors
import Tokenization

/// Where a tokenizer lies: a folder of published files, one of them, or inside a text encoder's file.
enum TokenizerPlace {
  private static let names = ["tokenizer.json", "spiece.model"]

  /// The file itself where a text encoder's file holds a tokenizer.
  static func inside(_ path: String) -> String? {
    guard !FolderListing.isFolder(path), let source = try? openCheckpoint(path: path) else { return nil }
    let hasOwn = source.names.contains("spiece_model") || (source as? GGUFFile)?.hasTokenizer == true
    return hasOwn ? path : nil
  }

  /// A path that a tokenizer can be opened from; `nil` where there is none.
  static func find(in folder: String) -> String? {
    guard let files = try? FolderListing(folder) else { return nil }
    if names.contains(where: files.contains) { return folder }
    for name in ["tokenizer", "google/umt5-xxl", "umt5-xxl"] {
      let path = folder + "/" + name
      if let files = try? FolderListing(path), names.contains(where: files.contains) { return path }
    }
    return nil
  }

  /// Reads a tokenizer whole.
  static func open(_ path: String) throws -> UnigramTokenizer {
    if FolderListing.isFolder(path) { return try UnigramTokenizer.open(folder: path) }
    let name = path.lowercased()
    if name.hasSuffix(".json") {
      return try UnigramTokenizer(parsingJSON: openFile(path: path, expecting: .json).bytes, file: path)
    }
    if name.hasSuffix(".model") {
      return try UnigramTokenizer(
        parsingSentencePiece: openFile(path: path, expecting: .sentencePiece).bytes, file: path)
    }
    return try inFile(try openCheckpoint(path: path), path)
  }

  /// The tokenizer of a text encoder's file: its ids are sentencepiece's own.
  private static func inFile(_ source: any WeightSource, _ path: String) throws -> UnigramTokenizer {
    if let file = source as? GGUFFile, file.hasTokenizer {
      return try UnigramTokenizer(file.sentencePieces(), file: path)
    }
    guard source.descriptor("spiece_model")?.dtype == .u8 else {
      throw ModelError.checkpoint("\(path): there is no tokenizer in this file; name one")
    }
    let bytes = try source.tensor("spiece_model").withBytes { span in span.indices.map { span[$0] } }
    return try UnigramTokenizer(parsingSentencePiece: bytes, rules: .sentencePiece, file: path)
  }
}

extension GGUFFile {
  /// Whether it holds a Unigram model, as text encoders of the T5 family do.
  var hasTokenizer: Bool { text("tokenizer.ggml.model") == "t5" }

  func sentencePieces() throws -> SentencePieceModel {
    func isOn(_ key: String) -> Bool {
      if case .bool(let value)? = self["tokenizer.ggml.\(key)"] { value } else { true }
    }
    func id(_ key: String, _ usual: Int) -> Int {
      if case .integer(let value)? = self["tokenizer.ggml.\(key)_token_id"] { value } else { usual }
    }
    var model = SentencePieceModel(
      pieces: try strings("tokenizer.ggml.tokens"), scores: try numbers("tokenizer.ggml.scores").map(Float.init),
      kinds: try numbers("tokenizer.ggml.token_type").map { Int(exactly: $0) ?? 0 },
      addsPrefix: isOn("add_space_prefix"), removesSpaces: isOn("remove_extra_whitespaces"),
      characterMap: try bytes("tokenizer.ggml.precompiled_charsmap"))
    (model.unknown, model.end, model.padding) = (id("unknown", 2), id("eos", 1), id("padding", 0))
    model.hasByteFallback = model.kinds.contains(SentencePieceModel.byteKind)
    return model
  }
}
