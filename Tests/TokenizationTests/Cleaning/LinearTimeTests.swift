import Dispatch
import Foundation
import TestSupport
import Testing

@testable import Tokenization

@Suite("Cleaning in time that grows with the text")
struct LinearTimeTests {
  private static let length = 10_000

  /// Pieces that were, or might be, gone over again for each of the pieces before them.
  private static let pieces = [
    "\u{301}\u{316}", "\u{F73}", "\u{344}\u{316}", "\u{1F1E6}", "\u{1F468}\u{200D}", "\u{915}\u{94D}", "\u{1100}",
    "Ãƒ©", "ÃƒÂ©", "Ã©\u{A0}", "à ", "â€", "\u{1A}", "\u{C2}?", "ÂÂ", "√±", "РўРµ", "&amp;", "&", "&#", "&#x", "&a",
    "&#38;#", "\u{1B}[", "\u{1B}[1;", "ﬃ", "Ǆ", "\u{FDFA}", "ﾊﾟ", "<", "\r", "\u{2028}", "\u{85}", "'", "\u{FFFD}",
    "\u{ED}\u{A0}\u{80}\u{ED}\u{B0}\u{80}", "\u{C0}\u{80}", "\n", " \u{301}",
  ]

  /// Each piece many times over, and references inside of references.
  static let texts: [(name: String, text: String)] =
    pieces.map { ($0.debugDescription, String(repeating: $0, count: length / $0.unicodeScalars.count)) } + [
      (
        "numbers in references",
        "&#3" + String(repeating: "&#5", count: 2_000) + "8" + String(repeating: ";", count: 2_001)
      ),
      ("digits by references", (0..<2_500).reduce(into: "6") { text, _ in text = "&#5" + text + ";" }),
      ("levels of ampersands", "&" + String(repeating: "amp;", count: 2_500)),
      ("marks behind", "a" + String(repeating: "\u{301}", count: 5_000) + String(repeating: "\u{316}", count: 5_000)),
      ("digits", "&#" + String(repeating: "1", count: 10_000)),
    ]

  @Test("cleans what repeats", arguments: texts.indices)
  func cleaning(index: Int) throws {
    let (name, text) = Self.texts[index]
    let seconds = try processorSeconds { _ = try PromptCleaner.clean(text) }
    #if DEBUG
      let limit = 60.0
    #else
      let limit = 1.0
    #endif
    #expect(seconds < limit, "\(name): \(seconds) s")
  }

  @Test("normalises to every form of Unicode, however many marks there are")
  func normalisation() throws {
    let cases = try JSONDecoder().decode([[String]].self, from: TestFiles.fixture("normalization.json"))
    #expect(cases.count == 60)
    let forms: [NormalizationForm] = [.composed, .decomposed, .compatibilityComposed, .compatibilityDecomposed]
    for texts in cases {
      for (form, expected) in zip(forms, texts.dropFirst()) {
        let isSame = texts[0].normalized(form).unicodeScalars.elementsEqual(expected.unicodeScalars)
        #expect(isSame, "\(form): \(texts[0].unicodeScalars.map(\.value))")
      }
    }
  }

  @Test("sorts the parts of marks that are made of marks, as Unicode has it", arguments: [1, 40])
  func compoundMarks(count: Int) {
    func times(_ text: String) -> String { String(repeating: text, count: count) }
    let cases: [(String, NormalizationForm, String)] = [
      (times("\u{301}\u{F73}"), .composed, times("\u{F71}") + times("\u{F72}") + times("\u{301}")),
      ("a" + times("\u{F73}") + "\u{301}", .composed, "\u{E1}" + times("\u{F71}") + times("\u{F72}")),
      ("a" + times("\u{F81}\u{316}"), .decomposed, "a" + times("\u{F71}") + times("\u{F80}") + times("\u{316}")),
      (times("\u{301}\u{FF9E}"), .compatibilityDecomposed, times("\u{3099}") + times("\u{301}")),
      ("\u{FF76}\u{301}\u{FF9E}", .compatibilityComposed, "\u{30AC}\u{301}"),
      (times("\u{301}\u{FF9E}"), .decomposed, times("\u{301}\u{FF9E}")),
    ]
    for (text, form, expected) in cases {
      #expect(text.normalized(form).unicodeScalars.map(\.value) == expected.unicodeScalars.map(\.value), "\(form)")
    }
  }

  @Test("normalises a hundred thousand marks in seconds")
  func manyMarks() {
    let text = "a" + String(repeating: "\u{301}\u{316}\u{F73}", count: 30_000)
    for form in [NormalizationForm.composed, .compatibilityDecomposed] {
      let seconds = processorSeconds { _ = text.normalized(form) }
      #expect(seconds < 20)
    }
  }

  @Test("stops soon after its task is cancelled")
  func cancellation() async throws {
    let folder = TestFiles.goldenTokenizer("ti2v")
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      #expect(throws: CancellationError.self) { try PromptCleaner.clean("a red ball") }
      #expect(throws: TokenizerError.cancelled) { try UnigramTokenizer.open(folder: folder) }
      for file in ["tokenizer.json", "spiece.model"] {
        let bytes = try TestFiles.bytes(folder + "/" + file)
        #expect(throws: TokenizerError.cancelled) {
          file.hasSuffix("json")
            ? try UnigramTokenizer(parsingJSON: bytes, file: file)
            : try UnigramTokenizer(parsingSentencePiece: bytes, file: file)
        }
      }
    }
    task.cancel()
    try await task.value
    let tokenizer = try UnigramTokenizer.open(folder: folder)
    let encoding = Task {
      while !Task.isCancelled { await Task.yield() }
      return try tokenizer.encode("a red ball", maximumLength: 8)
    }
    encoding.cancel()
    await #expect(throws: TokenizerError.cancelled) { try await encoding.value }
  }

  @Test("stops in the midst of a long text")
  func cancellationInside() async {
    let text = String(repeating: "Ãƒ©", count: 150_000)
    let task = Task.detached { try PromptCleaner.clean(text) }
    // Not by a task, which might get no thread before the work is done.
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.05) { task.cancel() }
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
