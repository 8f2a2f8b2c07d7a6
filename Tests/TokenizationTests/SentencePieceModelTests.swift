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
}
