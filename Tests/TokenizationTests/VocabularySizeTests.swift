import Foundation
import Testing

@testable import Tokenization

@Suite("Large vocabularies")
struct VocabularySizeTests {
  #if DEBUG
    private static let count = 8_000
  #else
    private static let count = 256_384
  #endif

  /// The small tokenizer's pieces and many more: numbers to the base 26, so that prefixes are shared as in words.
  private static let pieces: [(text: String, score: Float, kind: UInt8)] =
    SmallTokenizer.pieces
    + (SmallTokenizer.pieces.count..<count).map { index in
      var text = index.isMultiple(of: 3) ? "▁" : ""
      var rest = index
      while rest > 0 {
        text.append(Character(Unicode.Scalar(UInt8(97 + rest % 26))))
        rest /= 26
      }
      return (text, -4 - Float(index) / 65_536, 1)
    }

  private static let json: [UInt8] = {
    let entries = pieces.map { "      [\n        \"\($0.text)\",\n        \(Double($0.score))\n      ]" }
    let small = String(decoding: SmallTokenizer.json, as: UTF8.self)
    let start = small.components(separatedBy: "\"vocab\": ")[0]
    return Array("\(start)\"vocab\": [\n\(entries.joined(separator: ",\n"))\n]}}".utf8)
  }()

  @Test("loads from both formats alike, and in release within a second")
  func load() throws {
    let model = SmallTokenizer.sentencePiece(Self.pieces, characterMap: SmallTokenizer.characterMap)
    let (json, jsonTime) = try measured { try UnigramTokenizer(parsingJSON: Self.json, file: "t.json") }
    let (other, otherTime) = try measured { try UnigramTokenizer(parsingSentencePiece: model, file: "t.model") }
    #expect(json.vocabularySize == Self.count && other.vocabularySize == Self.count)
    let text = "the quick brown fox jumps over 色 the lazy dog " + String(repeating: "abc", count: 300)
    #expect(try json.encode(text, maximumLength: 512) == other.encode(text, maximumLength: 512))
    #if !DEBUG
      #expect(jsonTime < .seconds(1) && otherTime < .seconds(1), "\(jsonTime) and \(otherTime)")
    #else
      #expect(jsonTime > .zero && otherTime > .zero)
    #endif
  }

  private func measured(_ open: () throws -> UnigramTokenizer) throws -> (UnigramTokenizer, Duration) {
    let start = ContinuousClock.now
    let tokenizer = try open()
    return (tokenizer, ContinuousClock.now - start)
  }
}
