import Files
import Foundation
import TestSupport
import Testing

@testable import Tokenization

/// Small tokenizer files and texts that would take hours or gigabytes.
@Suite("Texts and tokenizers of great cost")
struct GrowthTests {
  private static func replace(_ pattern: String, _ content: String) -> String {
    "{\"type\": \"Replace\", \"pattern\": \(pattern), \"content\": \"\(content)\"}"
  }

  private static let tenfold = replace("{\"String\": \"a\"}", String(repeating: "a", count: 60))

  /// The small tokenizer with other steps and, where given, other added tokens.
  private func tokenizer(
    normalizer: String = "null", pre: String? = nil, tokens: String? = nil, processor: String? = nil
  ) throws(TokenizerError) -> UnigramTokenizer {
    var members = ((try? JSONSerialization.jsonObject(with: Data(SmallTokenizer.json))) as? [String: Any]) ?? [:]
    for (key, text) in [
      ("normalizer", normalizer), ("pre_tokenizer", pre), ("added_tokens", tokens), ("post_processor", processor),
    ] {
      guard let text else { continue }
      members[key] = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }
    let data = (try? JSONSerialization.data(withJSONObject: members)) ?? Data()
    return try UnigramTokenizer(parsingJSON: [UInt8](data), file: "t.json")
  }

  private func sequence(_ steps: [String]) -> String {
    "{\"type\": \"Sequence\", \"normalizers\": [\(steps.joined(separator: ","))]}"
  }

  private func check(_ text: String, _ tokenizer: UnigramTokenizer, refusedAt place: String) throws {
    let error = try #require(throws: TokenizerError.self) { _ = try tokenizer.encode(text, maximumLength: 64) }
    #expect(error.description.hasPrefix("t.json: \(place): a text grows"), "\(error)")
  }

  @Test("whose steps multiply a text are stopped at the step that goes too far")
  func multiplied() throws {
    let flat = try tokenizer(normalizer: sequence(Array(repeating: Self.tenfold, count: 12)))
    try check("a", flat, refusedAt: "normalizer, step 3")
    #expect(try flat.encode("x", maximumLength: 64).count > 1)
    let nested = try tokenizer(
      normalizer: sequence([sequence([Self.tenfold, sequence([Self.tenfold, Self.tenfold])]), Self.tenfold]))
    try check("a", nested, refusedAt: "normalizer, step 3")
    let prefix = "{\"type\": \"Prepend\", \"prepend\": \"\(String(repeating: "x", count: 50_000))\"}"
    try check("a", try tokenizer(normalizer: sequence([prefix, prefix, prefix])), refusedAt: "normalizer, step 2")
  }

  @Test("have a longest result, of short and of long texts")
  func proportions() throws {
    let step = Self.replace("{\"String\": \"a\"}", String(repeating: "x", count: 15))
    let tokenizer = try tokenizer(normalizer: sequence([step]))
    let text = String(repeating: "a", count: 20_000)
    #expect(try tokenizer.encode(text, maximumLength: 1 << 20).count > 100_000)
    let wider = try self.tokenizer(normalizer: sequence([Self.tenfold]))
    try check(text, wider, refusedAt: "normalizer, step 1")
    let error = #expect(throws: TokenizerError.self) {
      try tokenizer.encode(String(repeating: "b", count: TextBudget.longestText + 1), maximumLength: 4)
    }
    #expect(error?.description.contains("1048577 bytes") == true)
  }

  @Test("whose steps multiply the tokens that they add are not opened")
  func addedTokens() throws {
    let token = "{\"id\": 1, \"content\": \"</s>\", \"normalized\": false}, "
    for content in ["a", "aaaa"] {
      let tokens = "[\(token){\"id\": 8, \"content\": \"\(content)\", \"normalized\": true}]"
      let error = #expect(throws: TokenizerError.self) {
        try tokenizer(normalizer: sequence(Array(repeating: Self.tenfold, count: 12)), tokens: tokens)
      }
      #expect(error?.description.contains("normalizer, step 3: a text grows") == true, "\(String(describing: error))")
      #expect(throws: TokenizerError.self) {
        try tokenizer(normalizer: sequence([Self.tenfold, Self.tenfold]), tokens: tokens)
      }
    }
    let many = (0..<20_000).map { "{\"id\": \($0), \"content\": \"a\($0)\"}" }.joined(separator: ",")
    #expect(throws: TokenizerError.self) { try tokenizer(tokens: "[\(many)]") }
    let long = "[\(token){\"id\": 8, \"content\": \"\(String(repeating: "a", count: 513))\"}]"
    #expect(throws: TokenizerError.self) { try tokenizer(tokens: long) }
  }

  @Test("whose many tokens go through many steps are not opened")
  func tokenSteps() throws {
    let added = (0..<16_000).map { "{\"id\": \($0 + 9), \"content\": \"q\($0)\", \"normalized\": true}" }
    let tokens = "[{\"id\": 1, \"content\": \"</s>\", \"normalized\": false}, \(added.joined(separator: ","))]"
    let steps = sequence(Array(repeating: "{\"type\": \"NFKC\"}", count: 64))
    let seconds = processorSeconds {
      let error = #expect(throws: TokenizerError.self) { try tokenizer(normalizer: steps, tokens: tokens) }
      #expect(error?.description.contains("16000 tokens to be normalised in 64 steps each; at most") == true)
    }
    #expect(seconds < 10, "\(seconds) s")
  }

  @Test("of a wrong form are told in their own words")
  func words() throws {
    let error = #expect(throws: TokenizerError.self) { try tokenizer(normalizer: "{\"type\": \"Sonderbar\"}") }
    let text = try #require(error?.description)
    #expect(text.contains("\"Sonderbar\"") && !text.contains("Substring") && !text.contains("Unicode"), "\(text)")
    #expect(JSONValue.string(String(repeating: "é", count: 50)).kind == "\"\(String(repeating: "é", count: 40))\"")
  }

  @Test("whose steps cut a text into ever more parts are stopped")
  func parts() throws {
    let marks = ["x", "y"].map {
      "{\"type\": \"Metaspace\", \"replacement\": \"\($0)\", \"prepend_scheme\": \"always\"}"
    }
    let steps = Array(repeating: marks, count: 30).joined().joined(separator: ",")
    let tokenizer = try tokenizer(pre: "{\"type\": \"Sequence\", \"pretokenizers\": [\(steps)]}")
    let error = try #require(throws: TokenizerError.self) { _ = try tokenizer.encode("a b c", maximumLength: 64) }
    #expect(error.description.contains("pre_tokenizer, step ") && error.description.contains("a text grows"))
  }

  @Test("of any steps in any order, end with ids or an error")
  func randomSteps() throws {
    let steps =
      ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Strip"].map { "{\"type\": \"\($0)\"}" } + [
        Self.tenfold, Self.replace("{\"Regex\": \"x{2,}\"}", "ax"), Self.replace("{\"String\": \"x\"}", "a a"),
        Self.replace("{\"Regex\": \" +\"}", "\u{FDFA}"), "{\"type\": \"Prepend\", \"prepend\": \"ax \"}",
      ]
    let cuts =
      ["{\"type\": \"WhitespaceSplit\"}"]
      + ["a", "x", " "].map { "{\"type\": \"Metaspace\", \"replacement\": \"\($0)\", \"prepend_scheme\": \"always\"}" }
    var random = SeededGenerator(state: 9)
    var refused = 0
    let seconds = try processorSeconds {
      for _ in 0..<200 {
        let few = (0..<Int.random(in: 0...20, using: &random)).compactMap { _ in steps.randomElement(using: &random) }
        let pre = (0..<Int.random(in: 0...20, using: &random)).compactMap { _ in cuts.randomElement(using: &random) }
        let tokenizer = try tokenizer(
          normalizer: sequence(few), pre: "{\"type\": \"Sequence\", \"pretokenizers\": [\(pre.joined(separator: ","))]}"
        )
        do throws(TokenizerError) {
          let ids = try tokenizer.encode("a b  xx aa \u{FDFA} x", maximumLength: 64)
          #expect(ids.count <= 64 && ids.allSatisfy { (0..<8).contains($0) })
        } catch {
          #expect(error.description.contains("a text grows out of all proportion"))
          refused += 1
        }
      }
    }
    #expect(refused > 0 && refused < 200 && seconds < 120, "\(refused) refused in \(seconds) s")
  }

  @Test("have a most of steps, and of ids around a text")
  func counts() {
    let step = "{\"type\": \"NFC\"}"
    #expect(throws: Never.self) { try tokenizer(normalizer: sequence(Array(repeating: step, count: 64))) }
    for steps in [Array(repeating: step, count: 65), [sequence(Array(repeating: sequence([step, step]), count: 40))]] {
      #expect(throws: TokenizerError.self) { try tokenizer(normalizer: sequence(steps)) }
    }
    let item = "{\"SpecialToken\": {\"id\": \"e\"}}"
    for (items, ids) in [(65, 1), (1, 65), (33, 2), (2_000, 2_000)] {
      let template = Array(repeating: item, count: items).joined(separator: ",")
      let list = Array(repeating: "1", count: ids).joined(separator: ",")
      let processor = """
        {"type": "TemplateProcessing", "single": [\(template)], "special_tokens": {"e": {"ids": [\(list)]}}}
        """
      #expect(throws: TokenizerError.self) { try tokenizer(processor: processor) }
    }
  }

  @Test("pass runs of a character in one go", arguments: ["{\"Regex\": \"a{1000000,}\"}", "{\"Regex\": \"a{2,}\"}"])
  func runs(pattern: String) throws {
    let tokenizer = try tokenizer(normalizer: sequence([Self.replace(pattern, "x")]))
    for text in [String(repeating: "a", count: 200_000), String(repeating: "ab", count: 100_000)] {
      let seconds = try processorSeconds { _ = try tokenizer.encode(text, maximumLength: 64) }
      #expect(seconds < 20)
    }
  }

  @Test("find added tokens without going back over the text")
  func spacesAroundTokens() throws {
    let tokens = """
      [{"id": 1, "content": "</s>", "normalized": false, "lstrip": true, "rstrip": true},
      {"id": 8, "content": "q", "normalized": false, "lstrip": true, "single_word": true},
      {"id": 9, "content": "\(String(repeating: "a", count: 512))", "normalized": false}]
      """
    let tokenizer = try tokenizer(tokens: tokens)
    for text in [
      String(repeating: " </s>", count: 20_000), String(repeating: "q", count: 60_000),
      String(repeating: "a", count: 60_000), String(repeating: " ", count: 60_000) + "</s>",
      String(repeating: String(repeating: "a", count: 511) + "b", count: 100),
    ] {
      let seconds = try processorSeconds { _ = try tokenizer.encode(text, maximumLength: 64) }
      #expect(seconds < 20, "\(text.prefix(8))")
    }
    #expect(
      try tokenizer.encode("a \u{3000}</s>\t\u{A0}b", maximumLength: 9) == tokenizer.encode("a</s>b", maximumLength: 9))
  }

  @Test("have no pieces that reach from everywhere to the end of a text")
  func longPieces() {
    for (length, isOpened) in [(512, true), (513, false), (100_000, false)] {
      let pieces = SmallTokenizer.pieces + [(String(repeating: "a", count: length), -2, 1)]
      let file = SmallTokenizer.sentencePiece(pieces, characterMap: SmallTokenizer.characterMap)
      #expect(((try? UnigramTokenizer(parsingSentencePiece: file, file: "t.model")) != nil) == isOpened)
    }
  }

  @Test("of deep, long and repeated JSON are refused in good time")
  func json() {
    let marks = String(repeating: "\u{301}\u{316}", count: 50_000)
    for text in [
      "{\"added_tokens\": [" + String(repeating: "[],", count: 500_000) + "1]}",
      "{\"\(marks)\": 1, \"\(marks)\": 2}", "{\"normalizer\": {\"type\": \"NFC\(marks)\"}}",
      "{\"model\": {\"type\": \"Unigram\(marks)\"}}", "{\"model\": {\"vocab\": [[\"\(marks)\", 1]]}}",
      "{" + Array(repeating: "\"model\": {\"vocab\": [[\"a\", 1]]}", count: 20_000).joined(separator: ",") + "}",
      "{\"a\": " + String(repeating: "1", count: 1_000_000) + "}",
      "{\"a\": \"" + String(repeating: "\\u0301", count: 200_000) + "\"}",
    ] {
      let seconds = processorSeconds {
        #expect(throws: TokenizerError.self) { try UnigramTokenizer(parsingJSON: Array(text.utf8), file: "t.json") }
      }
      #expect(seconds < 20, "\(text.unicodeScalars.prefix(40))")
    }
  }

  @Test("are pipes and devices, which are not waited for")
  func pipes() throws {
    for name in ["tokenizer.json", "spiece.model"] {
      let folder = try TemporaryFolder()
      try makePipe(at: folder.path(name))
      let error = try #require(throws: TokenizerError.self) { _ = try UnigramTokenizer.open(folder: folder.path) }
      #expect(error.description.contains(name) && error.description.contains("a named pipe, not a regular file"))
      try FileManager.default.removeItem(atPath: folder.path(name))
      try FileManager.default.createSymbolicLink(atPath: folder.path(name), withDestinationPath: "/dev/zero")
      #expect(throws: TokenizerError.self) { try UnigramTokenizer.open(folder: folder.path) }
    }
  }
}
