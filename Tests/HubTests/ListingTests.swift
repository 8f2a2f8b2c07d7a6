import TestSupport
import Testing

@testable import Hub

@Suite("The hub's listing") struct ListingTests {
  private static let git = String(repeating: "a", count: 40)
  private static let sha256 = String(repeating: "b", count: 64)
  static let sound = """
    [{"type":"directory","oid":"\(git)","size":0,"path":"sub"},
     {"type":"file","oid":"\(git)","size":12,"path":"config.json","lastCommit":{"id":"x","date":null}},
     {"type":"file","oid":"\(git)","size":130,"path":"sub/w.safetensors","xetHash":"x","lfs":
      {"oid":"\(sha256)","size":9876543210,"pointerSize":130}},
     {"type":"file","oid":"\(git)","size":3,"path":"a.txt","lfs":null}]
    """

  private func read(_ text: String) throws -> [ListedFile] {
    try ListingReader.files(Array(text.utf8), from: "hub")
  }

  @Test("gives paths, sizes and digests, and leaves folders out")
  func sound() throws {
    let files = try read(Self.sound)
    #expect(files.map(\.path) == ["config.json", "sub/w.safetensors", "a.txt"])
    #expect(files.map(\.size) == [12, 9_876_543_210, 3])
    #expect(files.map(\.identity.name) == [Self.git, Self.sha256, Self.git])
    #expect(files[1].identity.algorithm == .sha256)
  }

  @Test(
    "with a path that leaves the folder is refused",
    arguments: ["../x", "/etc/passwd", "a/../../x", "", ".", "..", "a//b", "a/", "a\\u0000b", "./a"])
  func hostile(_ path: String) {
    #expect { try read(#"[{"type":"file","oid":"\#(Self.git)","size":1,"path":"\#(path)"}]"#) } throws: {
      "\($0)".hasPrefix("hub: ") && "\($0)".contains("would leave the model's folder")
    }
  }

  @Test(
    "with a digest that is none is refused",
    arguments: [
      "\"oid\":\"../../x\"", "\"oid\":\"\"", "\"oid\":\"\(git)a\"", "\"oid\":\"\(sha256)\"",
      "\"oid\":\"\(git)\",\"lfs\":{\"oid\":\"\(git)\",\"size\":1}", "\"oid\":\"\(git)\",\"lfs\":{}",
      "\"oid\":\"" + String(repeating: "A", count: 40) + "\"",
    ])
  func digests(_ members: String) {
    #expect(throws: HubError.self) { try read("[{\"type\":\"file\",\(members),\"size\":1,\"path\":\"a\"}]") }
  }

  @Test(
    "that is something else is refused",
    arguments: [
      "", "<html>", "{}", "[1]", "[{\"type\":\"file\"}]", "[] x", "[{\"type\":\"file\",\"path\":\"a\",\"size\":-1}]",
    ])
  func other(_ text: String) { #expect(throws: HubError.self) { try read(text) } }

  @Test("of a revision names its commit")
  func commit() throws {
    let text = #"{"_id":"1","siblings":[{"rfilename":"a"}],"sha":"\#(Self.git)","gated":"auto"}"#
    #expect(try ListingReader.commit(Array(text.utf8), from: "hub") == Self.git)
    for text in ["{}", #"{"sha":"main"}"#, #"{"sha":"../../../x"}"#, #"{"sha":1}"#] {
      #expect(throws: HubError.self) { try ListingReader.commit(Array(text.utf8), from: "hub") }
    }
  }

  @Test("survives any damage, and gives no path that leaves the folder")
  func damage() {
    var random = SeededGenerator(seed: 7)
    var read = 0
    for _ in 0..<10_000 {
      let bytes = mutated(Array(Self.sound.utf8), telling: Array("./\\\"{}[],:0".utf8), using: &random)
      guard let files = try? ListingReader.files(bytes, from: "hub") else { continue }
      read += 1
      for file in files {
        #expect(RelativePath(file.path) != nil && [40, 64].contains(file.identity.name.utf8.count) && file.size >= 0)
      }
    }
    #expect(read > 500)
  }
}
