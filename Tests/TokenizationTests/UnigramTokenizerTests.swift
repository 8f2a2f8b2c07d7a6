import Foundation
import Testing

@testable import Tokenization

@Suite("Tokenizing")
struct UnigramTokenizerTests {
  private struct GoldenCase: Decodable {
    var cleaned: String
    var ids: [Int32]
  }

  private struct Run: Decodable {
    var prompt: String
    var prompt_ids: [Int32]
  }

  static let families = ["ti2v", "t2v", "i2v"]

  private func sentencePiece(_ folder: String) throws -> UnigramTokenizer {
    let file = folder + "/spiece.model"
    return try UnigramTokenizer(parsingSentencePiece: TestFiles.bytes(file), file: file)
  }

  @Test("gives the published ids from tokenizer.json and from spiece.model", arguments: families)
  func golden(_ family: String) throws {
    let data = try Data(contentsOf: TestFiles.golden.appendingPathComponent("parts/text.json"))
    let cases = try JSONDecoder().decode([GoldenCase].self, from: data)
    let folder = TestFiles.goldenTokenizer(family)
    for tokenizer in [try UnigramTokenizer.open(folder: folder), try sentencePiece(folder)] {
      for entry in cases {
        #expect(try tokenizer.encode(entry.cleaned, maximumLength: 512) == entry.ids, "\(entry.cleaned)")
      }
    }
  }

  @Test("gives the bundled model's ids from both files")
  func nano() throws {
    let data = try Data(contentsOf: TestFiles.tests.appendingPathComponent("Golden/nano/nano_text.json"))
    let run = try JSONDecoder().decode(Run.self, from: data)
    let folder = TestFiles.nanoTokenizer
    for tokenizer in [try UnigramTokenizer.open(folder: folder), try sentencePiece(folder)] {
      #expect(try tokenizer.encode(PromptCleaner.clean(run.prompt), maximumLength: 128) == run.prompt_ids)
    }
  }

  @Test("keeps the end when it cuts a text short")
  func truncation() throws {
    let tokenizer = try UnigramTokenizer.open(folder: TestFiles.goldenTokenizer("ti2v"))
    let text = "a red ball over a red ball over a red ball"
    let all = try tokenizer.encode(text, maximumLength: 512)
    for length in 1..<all.count {
      #expect(
        try tokenizer.encode(text, maximumLength: length) == Array(all.prefix(length - 1)) + [tokenizer.endOfText])
    }
    #expect(try tokenizer.encode(text, maximumLength: all.count) == all)
    #expect(try tokenizer.encode(text, maximumLength: 0).isEmpty)
    #expect(try tokenizer.encode("", maximumLength: 512) == [tokenizer.endOfText])
  }

  @Test("knows its size and its end", arguments: families)
  func properties(_ family: String) throws {
    let folder = TestFiles.goldenTokenizer(family)
    for tokenizer in [try UnigramTokenizer.open(folder: folder), try sentencePiece(folder)] {
      #expect(tokenizer.vocabularySize == 619)
      #expect(tokenizer.endOfText == 1)
    }
  }

  @Test("encodes long texts, with and without spaces, NUL included")
  func longTexts() throws {
    let tokenizer = try UnigramTokenizer.open(folder: TestFiles.goldenTokenizer("ti2v"))
    for text in [
      String(repeating: "a", count: 5_000), String(repeating: "word ", count: 1_000),
      String(repeating: "\0", count: 5_000), String(repeating: "\u{301}", count: 5_000),
    ] {
      let ids = try tokenizer.encode(text, maximumLength: 64)
      #expect(ids.count <= 64 && ids.last == tokenizer.endOfText)
      #expect(ids.allSatisfy { (0..<619).contains($0) })
    }
  }
}
