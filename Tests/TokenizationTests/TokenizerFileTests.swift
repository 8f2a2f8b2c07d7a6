import Foundation
import Testing

@testable import Tokenization

@Suite("Tokenizer files")
struct TokenizerFileTests {
  private func open(json text: String) throws(TokenizerError) -> UnigramTokenizer {
    try UnigramTokenizer(parsingJSON: Array(text.utf8), file: "t.json")
  }

  private func changed(_ old: String, _ new: String) -> String {
    String(decoding: SmallTokenizer.json, as: UTF8.self).replacingOccurrences(of: old, with: new)
  }

  @Test("reads a small tokenizer alike from both formats")
  func formatsAgree() throws {
    let json = try UnigramTokenizer(parsingJSON: SmallTokenizer.json, file: "t.json")
    let model = try UnigramTokenizer(parsingSentencePiece: SmallTokenizer.sentencePiece, file: "t.model")
    for text in ["fox", "A fox a", "q", "aq色 AA", "</s>a", "  a", ""] {
      #expect(try json.encode(text, maximumLength: 64) == model.encode(text, maximumLength: 64), "\(text)")
    }
    #expect(try json.encode("A foxqq", maximumLength: 64) == [3, 4, 5, 6, 2, 1])
  }

  @Test("passes over a byte order mark")
  func mark() throws {
    let plain = try UnigramTokenizer(parsingJSON: SmallTokenizer.json, file: "t.json")
    let marked = try UnigramTokenizer(parsingJSON: [0xEF, 0xBB, 0xBF] + SmallTokenizer.json, file: "t.json")
    #expect(try plain.encode("a b", maximumLength: 9) == marked.encode("a b", maximumLength: 9))
  }

  @Test("names both files when a folder has neither")
  func missing() {
    let error = #expect(throws: TokenizerError.self) { try UnigramTokenizer.open(folder: "/nowhere") }
    #expect(error?.description.contains("tokenizer.json") == true)
    #expect(error?.description.contains("spiece.model") == true)
  }

  @Test("says that a folder is not a file")
  func folderInstead() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("tokenizer.json"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(throws: TokenizerError.self) { try UnigramTokenizer.open(folder: folder.path) }
  }

  @Test(
    "refuses what it does not know, by name",
    arguments: [
      ("\"Unigram\"", "\"BPE\"", "BPE"), ("\"Metaspace\"", "\"ByteLevel\"", "ByteLevel"),
      ("\"Precompiled\"", "\"BertNormalizer\"", "BertNormalizer"),
      ("TemplateProcessing", "RobertaProcessing", "RobertaProcessing"), (" {2,}", "[a-z]*", "[a-z]*"),
      ("\"always\"", "\"sometimes\"", "sometimes"),
    ])
  func unsupported(_ old: String, _ new: String, _ named: String) {
    let error = #expect(throws: TokenizerError.self) { try open(json: changed(old, new)) }
    #expect(error?.description.contains(named) == true)
  }

  @Test(
    "refuses ids, scores and maps that cannot be",
    arguments: [
      ("\"unk_id\": 2", "\"unk_id\": 8"), ("\"unk_id\": 2", "\"unk_id\": null"), ("\"ids\": [1]", "\"ids\": [8]"),
      ("\"id\": 1,", "\"id\": 99,"), ("-2.0", "-2e999"), ("-2.0", "\"x\""), ("charsmap\": \"", "charsmap\": \"===="),
      ("charsmap\": \"", "charsmap\": \"////"), ("\"</s>\"", "\"</t>\""), ("}}", "}} {"), ("\"▁\"", "\"\\ud800\""),
    ])
  func invalid(_ old: String, _ new: String) {
    #expect(throws: TokenizerError.self) { try open(json: changed(old, new)) }
  }

  @Test("lets the last of two members of a name count, at every depth")
  func repeatedMembers() throws {
    _ = try open(json: changed("\"unk_id\": 2", "\"unk_id\": 8, \"unk_id\": 2"))
    _ = try open(json: changed("\"ids\": [1]", "\"ids\": [8], \"ids\": [1]"))
    #expect(throws: TokenizerError.self) { try open(json: changed("\"ids\": [1]", "\"ids\": [1], \"ids\": [8]")) }
  }

  @Test("bounds the depth of JSON")
  func depth() {
    for text in ["{\"a\":" + String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000)] {
      #expect(throws: TokenizerError.self) { try open(json: text) }
    }
  }

  @Test("refuses protocol buffers that promise more than there is")
  func lengths() {
    for bytes: [UInt8] in [
      [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x0A, 0x02, 0x0A], [0x0B], [0x80],
    ] {
      #expect(throws: TokenizerError.self) { try UnigramTokenizer(parsingSentencePiece: bytes, file: "t.model") }
    }
  }

  @Test("says where a damaged file is damaged")
  func located() {
    #expect(throws: TokenizerError.malformed(file: "t.json", offset: 5, reason: "a JSON value is expected")) {
      try open(json: "{\"a\":?}")
    }
  }
}
