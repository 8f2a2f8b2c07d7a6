import Files
import TestSupport
import Testing

@testable import WanCommands

@Suite("The reader of settings") struct SettingsReaderTests {
  private static let sound = """
    # defaults
    size = "832x480"   # pixels
    steps = 30
    'guidance' = +4.5
    "shift" = 1_0.5e-1
    prompt = "a \\"red\\" ball\\t\\u00e9 # no comment"
    seed=-1

    [generate]
    lora = [
      "a.safetensors=0.8", # one
      'b\\c.safetensors',
    ]
    quiet = true
    sigmas = [1, 0.9, 0.625]
    [ bench . "vae" ]
    repeat = 3
    none = []
    """

  @Test("strings, numbers, truth values, arrays and tables are read as TOML has them, with their lines")
  func sound() throws {
    let bench = ["bench", "vae"]
    #expect(
      try SettingsReader.entries(of: Self.sound) == [
        SettingEntry(table: [], key: "size", value: .text("832x480"), line: 2),
        SettingEntry(table: [], key: "steps", value: .number("30"), line: 3),
        SettingEntry(table: [], key: "guidance", value: .number("4.5"), line: 4),
        SettingEntry(table: [], key: "shift", value: .number("10.5e-1"), line: 5),
        SettingEntry(table: [], key: "prompt", value: .text("a \"red\" ball\té # no comment"), line: 6),
        SettingEntry(table: [], key: "seed", value: .number("-1"), line: 7),
        SettingEntry(
          table: ["generate"], key: "lora", value: .list([.text("a.safetensors=0.8"), .text("b\\c.safetensors")]),
          line: 10),
        SettingEntry(table: ["generate"], key: "quiet", value: .truth(true), line: 14),
        SettingEntry(
          table: ["generate"], key: "sigmas", value: .list([.number("1"), .number("0.9"), .number("0.625")]), line: 15),
        SettingEntry(table: bench, key: "repeat", value: .number("3"), line: 17),
        SettingEntry(table: bench, key: "none", value: .list([]), line: 18),
      ])
    #expect(try SettingsReader.entries(of: "").isEmpty && SettingsReader.entries(of: "# only\r\n\r\n").isEmpty)
    let windows = try SettingsReader.entries(of: "a = 1\r\nb = 2\r\n")
    #expect(windows.map(\.line) == [1, 2])
  }

  @Test(
    "what is no TOML, or more of it than is read, is told with its line and column",
    arguments: [
      ("a", 1, 2, "'='"), ("a = ", 1, 5, "a value"), ("a = 1 b = 2", 1, 7, "the line's end"), ("= 1", 1, 1, "a key"),
      ("\n\n  a = word", 3, 7, "quotation marks"), ("a = \"x", 1, 5, "no end"), ("a = \"x\ny\"", 1, 5, "no end"),
      ("a = \"\\q\"", 1, 6, "no escape"), ("a = \"\\uD800\"", 1, 6, "no escape"), ("a = [1, 2", 1, 10, "array"),
      ("a = [1 2]", 1, 8, "array"), ("a = [[1]]", 1, 6, "arrays in arrays"), ("a = {b = 1}", 1, 5, "inline tables"),
      ("a = 1\na = 2", 2, 1, "twice"), ("[a]\n[a]", 2, 1, "twice"), ("[[a]]", 1, 2, "arrays of tables"),
      ("[a", 1, 3, "']'"), ("[]", 1, 2, "a key"), ("a.b = 1", 1, 2, "write a table"), ("a = 0x1F", 1, 5, "no number"),
      ("a = 01", 1, 5, "no number"), ("a = 1__0", 1, 5, "no number"), ("a = 1979-05-27", 1, 5, "no number"),
      ("a = inf", 1, 5, "no number"), ("a = \"\"\"x\"\"\"", 1, 5, "many lines"), ("a = \"\u{1}\"", 1, 6, "control"),
    ])
  func refusals(_ text: String, _ line: Int, _ column: Int, _ reason: String) {
    let error = #expect(throws: SettingsSyntaxError.self) { try SettingsReader.entries(of: text) }
    #expect(error?.line == line && error?.column == column && error?.reason.contains(reason) == true, "\(error as Any)")
  }

  @Test("changed bytes end in entries or in an error within the file, and in little time")
  func fuzz() {
    var random = SeededGenerator(seed: 7)
    let sound = Array(Self.sound.utf8)
    var (read, refused) = (0, 0)
    for _ in 0..<3000 {
      let bytes = mutated(sound, telling: Array("[]{}\"'=#.,\\\n\r +-_".utf8), using: &random)
      let text = String(decoding: bytes, as: UTF8.self)
      do throws(SettingsSyntaxError) {
        let entries = try SettingsReader.entries(of: text)
        #expect(entries.count <= bytes.count)
        read += 1
      } catch {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        #expect((1...lines.count).contains(error.line) && error.column >= 1)
        if lines.indices.contains(error.line - 1) { #expect(error.column <= lines[error.line - 1].count + 1) }
        refused += 1
      }
    }
    #expect(read > 100 && refused > 100)
  }
}
