import Foundation
import Testing
import Tokenization

@Suite("Settings of tokenizer.json")
struct TokenizerSettingsTests {
  /// A tokenizer file, members changed in it, and texts with the ids that the published library gives.
  private struct Group {
    var name: String
    var base: String
    var change: [String: Any]
    var cases: [(text: String, ids: [Int32])]

    init?(_ value: Any) {
      guard let members = value as? [String: Any], let name = members["name"] as? String,
        let base = members["base"] as? String, let change = members["change"] as? [String: Any],
        let cases = members["cases"] as? [[Any]]
      else { return nil }
      (self.name, self.base, self.change) = (name, base, change)
      self.cases = cases.compactMap { entry in
        guard let text = entry[0] as? String, let ids = entry[1] as? [Int] else { return nil }
        return (text, ids.map { Int32($0) })
      }
    }
  }

  @Test("gives the published library's ids under every setting")
  func fixture() throws {
    let values = try JSONSerialization.jsonObject(with: TestFiles.fixture("tokens.json")) as? [Any] ?? []
    let groups = values.compactMap { Group($0) }
    #expect(groups.count == 12)
    for group in groups {
      let folder =
        group.base == "nano" ? TestFiles.nanoTokenizer : TestFiles.tests.path + "/Golden/ti2v/google/umt5-xxl"
      let tokenizer = try tokenizer(folder + "/tokenizer.json", changed: group.change)
      #expect(group.cases.count >= 20)
      for (text, ids) in group.cases {
        #expect(try tokenizer.encode(text, maximumLength: 24) == ids, "\(group.name): \(text.debugDescription)")
      }
    }
  }

  private func tokenizer(_ file: String, changed change: [String: Any]) throws -> UnigramTokenizer {
    guard !change.isEmpty else { return try UnigramTokenizer(parsingJSON: TestFiles.bytes(file), file: file) }
    let data = try Data(contentsOf: URL(fileURLWithPath: file))
    var members = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    members.merge(change) { $1 }
    return try UnigramTokenizer(parsingJSON: [UInt8](JSONSerialization.data(withJSONObject: members)), file: file)
  }
}
