import Testing

@testable import Tokenization

@Suite("Damaged tokenizer files")
struct TokenizerFuzzTests {
  private static let text = "A fox  q色</s>\0"

  /// Whatever still opens has to encode, within its vocabulary.
  private func check(_ tokenizer: UnigramTokenizer, _ round: Int) throws {
    let ids = try tokenizer.encode(Self.text, maximumLength: 32)
    if ids.contains(where: { $0 < 0 || $0 >= tokenizer.vocabularySize }) || ids.count > 32 {
      Issue.record("ids out of range in round \(round)")
    }
  }

  @Test("survives 10 000 damaged copies of tokenizer.json")
  func json() throws {
    var generator = SeededGenerator(state: 1)
    var opened = 0
    for round in 0..<10_000 {
      let bytes = SmallTokenizer.json.damaged(using: &generator)
      guard let tokenizer = try? UnigramTokenizer(parsingJSON: bytes, file: "t.json") else { continue }
      opened += 1
      try check(tokenizer, round)
    }
    #expect((1..<9_999).contains(opened))
  }

  @Test("survives 10 000 damaged copies of spiece.model")
  func sentencePiece() throws {
    var generator = SeededGenerator(state: 2)
    var opened = 0
    for round in 0..<10_000 {
      let bytes = SmallTokenizer.sentencePiece.damaged(using: &generator)
      guard let tokenizer = try? UnigramTokenizer(parsingSentencePiece: bytes, file: "t.model") else { continue }
      opened += 1
      try check(tokenizer, round)
    }
    #expect((1..<9_999).contains(opened))
  }

  @Test("survives 2 000 damaged character maps")
  func characterMap() throws {
    var generator = SeededGenerator(state: 3)
    for _ in 0..<2_000 {
      let bytes = SmallTokenizer.characterMap.damaged(using: &generator)
      var budget = try TextBudget(for: Self.text.utf8.count, file: "t")
      _ = try? CharacterMap(parsing: bytes, file: "t").apply(Self.text, &budget)
    }
  }
}
