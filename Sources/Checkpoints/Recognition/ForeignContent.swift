import Tensors

/// What a file holds in place of what was expected of it, told by its first bytes.
///
/// This is the one place that knows what else a file of a model may turn out to be: a pointer, a web page, an archive,
/// another program's format. Whoever opens such a file asks here first, so that each kind has one sentence everywhere.
struct ForeignContent: Sendable, Hashable {
  /// After "this is ".
  let what: String
  private(set) var advice: String

  /// For files that have the name of a model's; of any other file nobody knows that it was downloaded.
  static let downloadFailed = "the download failed: log in where the model asks for it, and download the file again"

  init(what: String, advice: String) {
    (self.what, self.advice) = (what, advice)
  }

  /// `nil` for a file that may be what is expected; its reader has the last word.
  init?(_ storage: Storage, path: String, expected: ExpectedContent) {
    self.init(storage, expected: expected)
    if advice == Self.downloadFailed, !Self.isModelFile(path) {
      advice = "give the file of the tensors, or the model's folder"
    }
  }

  /// Whether a model's checkpoint, configuration or tokenizer may have this name.
  private static func isModelFile(_ path: String) -> Bool {
    let endings = [".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".gguf", ".json", ".model"]
    // Browsers and wget keep a link's query in the name.
    let name = path.split(separator: "/").last?.prefix { $0 != "?" }.lowercased() ?? ""
    return endings.contains(where: name.hasSuffix)
  }

  private init?(_ storage: Storage, expected: ExpectedContent) {
    // A safetensors file begins with a length, which may be any bytes.
    if storage.looksLikeSafetensors { return nil }
    let head = storage.withBytes(in: 0..<min(storage.byteCount, 4096)) { span in span.indices.map { span[$0] } }
    if let signature = FileSignature.all.first(where: { $0.matches(head) }) {
      self.init(what: signature.what, advice: signature.advice)
    } else if let found = Self.tar(head) ?? Self.wideText(head) ?? Self.zeros(head) {
      self = found
    } else if let text = TextContent(head, byteCount: storage.byteCount),
      let found = text.replacement ?? (expected == .json ? text.notJSON : text.notBytes(expected.negation))
    {
      self = found
    } else {
      return nil
    }
  }

  private static func zeros(_ head: [UInt8]) -> ForeignContent? {
    guard !head.isEmpty, head.allSatisfy({ $0 == 0 }) else { return nil }
    return ForeignContent(
      what: "a file that begins with zeros: space that a downloader reserved and never filled",
      advice: "let the downloader finish it, or download it again")
  }

  private static func wideText(_ head: [UInt8]) -> ForeignContent? {
    let marks: [(bytes: [UInt8], name: String)] = [
      ([0xFF, 0xFE, 0, 0], "UTF-32"), ([0, 0, 0xFE, 0xFF], "UTF-32"), ([0xFF, 0xFE], "UTF-16"),
      ([0xFE, 0xFF], "UTF-16"), ([0x7B, 0, 0, 0], "UTF-32"), ([0x7B, 0, 0x22, 0], "UTF-16"),
      ([0x7B, 0, 0x0A, 0], "UTF-16"), ([0x7B, 0, 0x0D, 0], "UTF-16"), ([0, 0x7B, 0, 0x22], "UTF-16"),
      ([0, 0x7B, 0, 0x0A], "UTF-16"),
    ]
    guard let mark = marks.first(where: { head.starts(with: $0.bytes) }) else { return nil }
    return ForeignContent(
      what: "text in \(mark.name), which no reader of models takes",
      advice: "save it as UTF-8, or download the file again")
  }

  private static func tar(_ head: [UInt8]) -> ForeignContent? {
    guard head.count >= 262, head[257..<262].elementsEqual("ustar".utf8) else { return nil }
    let first = String(decoding: head.prefix { $0 != 0 && $0 != UInt8(ascii: "/") }, as: UTF8.self)
    if ["sys_info", "pickle", "tensors", "storages"].contains(first) {
      return ForeignContent(
        what: "the tar form of .pth, which torch.save wrote before version 0.1.11", advice: TorchLegacy.convert)
    }
    return ForeignContent(what: "a tar archive", advice: "unpack it and give what is inside")
  }
}

/// What a file of a model should hold, as far as it changes what else it can be taken for.
public enum ExpectedContent: Sendable, Hashable {
  /// Tensors, or the index of a sharded checkpoint.
  case checkpoint
  /// A configuration, or tokenizer.json.
  case json
  /// The protocol buffer of sentencepiece.
  case sentencePiece

  fileprivate var negation: String {
    switch self {
    case .checkpoint: "neither a safetensors file nor an archive of torch.save"
    case .json, .sentencePiece: "not a model of sentencepiece"
    }
  }
}

/// Advice for what torch wrote long ago.
enum TorchLegacy {
  static let convert = "convert it with Python: torch.save(torch.load(path, weights_only=True), path)"
}
