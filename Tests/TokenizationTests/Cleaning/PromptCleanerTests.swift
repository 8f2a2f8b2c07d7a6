import Foundation
import Testing
import Tokenization

@Suite("Cleaning prompts")
struct PromptCleanerTests {
  private struct GoldenCase: Decodable {
    var text: String
    var cleaned: String
  }

  /// Strings are equal here only scalar by scalar: `==` would take é for e and an accent.
  private func scalars(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }

  @Test("cleans every golden text as published")
  func golden() throws {
    let data = try Data(contentsOf: TestFiles.golden.appendingPathComponent("parts/text.json"))
    for entry in try JSONDecoder().decode([GoldenCase].self, from: data) {
      #expect(try scalars(PromptCleaner.clean(entry.text)) == scalars(entry.cleaned), "\(entry.text)")
    }
  }

  @Test("cleans random texts of many scripts and kinds of damage as ftfy does")
  func fixture() throws {
    let cases = try JSONDecoder().decode([[String]].self, from: TestFiles.fixture("cleaning.json"))
    #expect(cases.count == 500)
    for entry in cases {
      #expect(try scalars(PromptCleaner.clean(entry[0])) == scalars(entry[1]), "\(entry[0].debugDescription)")
    }
  }

  @Test(
    "repairs, unescapes and folds",
    arguments: [
      ("schÃ¶n â€œquotedâ€\u{9D}", "schön \"quoted\""),
      ("voilÃ  le travail", "voilà le travail"),
      ("Ãƒâ€šÃ‚Â© twice", "© twice"),
      ("&AMP; &ampamp &notit; &NTILDE;", "& & ¬it; Ñ"),
      ("&lt;b&gt; &amp;lt;", "<b> <"),
      ("<i>&lt;&amp;lt;&amp;amp;lt;", "<i><<&lt;"),
      ("ＬＯＵＤ　ﾊﾟﾅﾏ ﬁn Ǆ ŉ", "LOUD パナマ fin DŽ 'n"),
      ("a\u{1B}[31mred\u{1B}[0m\u{7}\u{FEFF} b\r\nc\u{2028}d", "ared b c d"),
      ("e\u{301}", "\u{E9}"),
      ("\u{80}\u{85}", "€…"),
      (" \u{3000}\u{A0}\t\n", ""),
      ("", ""),
      ("a\0b", "ab"),
      ("&#x110000; &#xD800; &#0; &#1; &#13; &#99999999999999999999;", "\u{FFFD} \u{FFFD} \u{FFFD} \u{FFFD}"),
    ])
  func example(_ text: String, _ cleaned: String) throws {
    #expect(try scalars(PromptCleaner.clean(text)) == scalars(cleaned))
  }

  @Test("takes references of references apart in time, however deep")
  func deepReferences() throws {
    for level in ["amp;", "#38;", "amp;#x26;"] {
      #expect(try PromptCleaner.clean("&" + String(repeating: level, count: 4000) + "lt;") == "<")
    }
  }

  @Test("cleans long texts without a break")
  func longTexts() throws {
    #expect(try PromptCleaner.clean(String(repeating: "a", count: 20_000)).count == 20_000)
    #expect(try PromptCleaner.clean(String(repeating: "Ã¤", count: 5_000)) == String(repeating: "ä", count: 5_000))
    #expect(try PromptCleaner.clean(String(repeating: "\0", count: 20_000)).isEmpty)
  }
}
