import TestSupport
import Testing

@testable import Prompts

/// Damaged answers are read or refused; they never end the process.
struct AnswerFuzzTests {
  private static let sound = #"""
    {"id": "chat-1", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant",
    "content": "<think>a \"cat\"</think>\nA c\u00e4t \ud83d\ude3a sits.", "refusal": null}}], "usage": {"n": 1e3}}
    """#

  @Test("of every kind", arguments: 0..<2)
  func answers(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var refused = 0
    for _ in 0..<10_000 {
      let body = mutated(Array(Self.sound.utf8), telling: Array("{}[]\",:\\<>`u0".utf8), using: &random)
      do {
        let text = try ChatAnswer.prompt(in: body, from: "host")
        #expect(!text.isEmpty && text.utf8.count <= ChatAnswer.longest && !text.contains("\n"))
      } catch {
        #expect(error.description.hasPrefix("the answer of host is no prompt: "))
        refused += 1
      }
      _ = ChatFailure.reason(in: body)
    }
    #expect(refused > 1_000 && refused < 10_000)
  }
}
