import Foundation
import TestSupport
import Testing
import Tokenization

struct SentencePieceModelTests {
  private static let path = Golden.bundledFolder + "/ti2v/google/umt5-xxl/spiece.model"

  @Test("a model taken apart and put together again has the same parts and gives the same ids")
  func roundTrip() throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.path)))
    let model = try SentencePieceModel(parsing: bytes, file: Self.path)
    #expect(model.pieces.count > 300 && model.end == 1 && model.padding == 0)
    let again = try SentencePieceModel(parsing: model.serialized, file: "again")
    #expect(again.pieces == model.pieces && again.scores == model.scores && again.kinds == model.kinds)
    #expect(again.characterMap == model.characterMap && again.addsPrefix == model.addsPrefix)
    #expect(again.hasByteFallback == model.hasByteFallback && again.unknown == model.unknown)
    for rules in [SentencePieceRules.tokenizers, .sentencePiece] {
      let one = try UnigramTokenizer(parsingSentencePiece: bytes, rules: rules, file: Self.path)
      let other = try UnigramTokenizer(parsingSentencePiece: model.serialized, rules: rules, file: "again")
      for text in ["A red ball bounces.", "  two   spaces ", "Ünïcödé 球 🙂", "</s> <unk>", ""] {
        #expect(
          try one.encode(text, maximumLength: 64) == other.encode(text, maximumLength: 64), "\(rules) '\(text)'")
      }
    }
  }

  private struct Recorded: Decodable {
    let text: String
    let ids: [Int32]
  }

  @Test("where pieces tie within the last bit, the ids are sentencepiece's own")
  func ties() throws {
    // Made by Fixtures/ties.py with the package sentencepiece 0.2.3.
    let bytes = [UInt8](try TestFiles.fixture("ties.model"))
    let cases = try JSONDecoder().decode([Recorded].self, from: TestFiles.fixture("ties.json"))
    let tokenizer = try UnigramTokenizer(parsingSentencePiece: bytes, rules: .sentencePiece, file: "ties.model")
    let other = try UnigramTokenizer(parsingSentencePiece: bytes, rules: .tokenizers, file: "ties.model")
    #expect(cases.count > 200)
    var differing = 0
    for recorded in cases {
      let ids = try tokenizer.encode(recorded.text, maximumLength: 512)
      #expect(Array(ids.dropLast()) == recorded.ids && ids.last == 1, "'\(recorded.text)'")
      if try other.encode(recorded.text, maximumLength: 512) != ids { differing += 1 }
    }
    // Sums of other precision would not do.
    #expect(differing > 0)
  }
}
