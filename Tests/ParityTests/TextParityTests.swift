import CPUBackend
import Tensors
import TestSupport
import Testing
import Tokenization
import WanKit
import WanModels

/// Cleaning, token ids and the text encoder against the published code's.
struct TextParityTests {
  struct Case: Decodable, Sendable {
    let text: String
    let cleaned: String
    let ids: [Int32]
  }

  static func cases() throws -> [Case] { try Golden.json("parts/text.json", as: [Case].self) }

  @Test("every recorded text is cleaned and cut into the published tokens")
  func tokens() throws {
    let modules = try GoldenModules(family: #require(ModuleParityTests.families.first))
    let tokenizer = try UnigramTokenizer.open(folder: modules.folder.tokenizerFolder)
    for item in try Self.cases() {
      let cleaned = try PromptCleaner.clean(item.text)
      #expect(Array(cleaned.unicodeScalars) == Array(item.cleaned.unicodeScalars))
      #expect(try tokenizer.encode(cleaned, maximumLength: modules.folder.textLength) == item.ids, "\(item.text)")
    }
  }

  @Test("the text encoder gives the published vectors")
  func encoder() throws {
    let encoder = try GoldenModules(family: #require(ModuleParityTests.families.first)).textEncoder()
    let golden = try Golden.tensors("parts/text.safetensors")
    for (i, item) in try Self.cases().enumerated() {
      guard let expected = golden["context_\(i)"] else { continue }
      let error = relativeError(try encoder(item.ids), expected)
      #expect(error <= 1e-5, "case \(i): relative error \(error)")
    }
  }
}
