import Foundation
import TestSupport
import Testing

@testable import Hub

@Suite("Names") struct NameTests {
  @Test("of models become folders and come back", arguments: ["Wan-AI/Wan2.2-TI2V-5B", "gpt2", "a_b/c.d-e"])
  func models(_ text: String) throws {
    let name = try #require(RepositoryName(text))
    #expect(name.folder == "models--" + text.replacing("/", with: "--"))
    #expect(RepositoryName(folder: name.folder) == name)
  }

  @Test(
    "that are no model's are refused",
    arguments: [
      "", "/", "a/", "/b", "a/b/c", "../x", "a/..", "a/b..c", "a/b--c", "-a/b", "a/b.", "a b/c", "a/\u{E9}", "a/b\0",
      "a/b.git",
      "a/" + String(repeating: "x", count: 97),
    ])
  func refused(_ text: String) { #expect(RepositoryName(text) == nil) }

  @Test("of files stay below their folder")
  func paths() {
    for text in ["a", "a/b.json", "..a/b..", "a b/\u{E9}", "a\\b"] { #expect(RelativePath(text)?.description == text) }
    for text in [
      "", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/.", "a\0b", String(repeating: "a", count: 5000),
    ] {
      #expect(RelativePath(text) == nil, "\(text)")
    }
    #expect(RelativePath("a b/\u{E9}+%.c")?.escaped == "a%20b/%C3%A9%2B%25.c")
  }

  @Test(
    "match patterns as Python's tools have them",
    arguments: [
      ("*.json", "a/b.json", true), ("*.json", "b.jsonl", false), ("vae/", "vae/x/y", true), ("vae/", "xvae/x", false),
      ("a?c", "abc", true), ("a?c", "ac", false), ("[a-c]*", "beta", true), ("[!a-c]*", "beta", false),
      ("[!a-c]*", "delta", true), ("[]]", "]", true), ("[x", "[x", true), ("*a*b*", "xxaxxbxx", true),
      ("*a*b*", "xxbxxaxx", false), ("", "", true), ("*", "", true), ("a*", "b", false), ("**", "a/b", true),
      ("[-a]", "-", true), ("A*", "a", false),
    ])
  func patterns(_ pattern: String, _ path: String, _ matches: Bool) {
    #expect(FilePattern(pattern).matches(path) == matches)
  }

  @Test("of the cache come from the variables that Python's tools read, in their order")
  func cache() {
    func path(_ values: [String: String]) -> String {
      HubCache(environment: values.merging(["HOME": "/h"]) { a, _ in a }).path
    }
    #expect(path([:]) == "/h/.cache/huggingface/hub")
    #expect(path(["XDG_CACHE_HOME": "/x"]) == "/x/huggingface/hub")
    #expect(path(["XDG_CACHE_HOME": "/x", "HF_HOME": "~/f"]) == "/h/f/hub")
    #expect(path(["HF_HOME": "/f", "HF_HUB_CACHE": "/c"]) == "/c")
    #expect(path(["HF_HUB_CACHE": ""]) == "/h/.cache/huggingface/hub")
  }

  @Test("of the token come from a variable, else from a file")
  func token() throws {
    let folder = try TemporaryFolder()
    try Data("hf_home\n".utf8).write(to: URL(fileURLWithPath: folder.path("token")))
    try Data(" hf_other ".utf8).write(to: URL(fileURLWithPath: folder.path("other")))
    func token(_ values: [String: String]) throws -> String? { try HubSettings(environment: values).token }
    #expect(try token(["HF_HOME": folder.path]) == "hf_home")
    #expect(try token(["HF_HOME": folder.path, "HF_TOKEN_PATH": folder.path("other")]) == "hf_other")
    #expect(try token(["HF_HOME": folder.path, "HF_TOKEN": "hf_own"]) == "hf_own")
    #expect(try token(["HOME": folder.path("none")]) == nil)
    #expect(try token(["HOME": folder.path("none"), "HF_TOKEN": "a\r\nX-Other: b"]) == nil)
  }

  @Test("of endpoints are addresses", arguments: ["", "hub", "ftp://a", "https://", "https://u:p@a", "https://a?b"])
  func endpoints(_ text: String) throws {
    #expect(throws: HubError.self) { try HubSettings(environment: [:], endpoint: text) }
    #expect(throws: HubError.self) { try HubSettings(environment: ["SSL_CERT_FILE": "/nowhere/a.pem"]) }
    let settings = try HubSettings(environment: ["HF_ENDPOINT": "https://mirror.example/"])
    #expect(settings.endpoint == "https://mirror.example")
    #expect(try HubSettings(environment: [:]).endpoint == HubSettings.publicEndpoint)
  }

  @Test("of proxies come from the usual variables, but for hosts that are exempt")
  func proxies() throws {
    func proxy(_ values: [String: String]) throws -> String? {
      try HubSettings(environment: values, endpoint: "https://hub.example").proxy?.absoluteString
    }
    #expect(try proxy(["https_proxy": "http://p:8080"]) == "http://p:8080")
    #expect(try proxy(["HTTPS_PROXY": "p:8080"]) == "http://p:8080")
    #expect(try proxy(["HTTPS_PROXY": "http://p", "NO_PROXY": "a, .example"]) == nil)
    #expect(try proxy(["http_proxy": "http://p"]) == nil)
  }

  @Test("of dates tell how long to wait")
  func dates() throws {
    let now = Date(timeIntervalSince1970: 1_445_412_480)
    #expect(RetryAfter.seconds("120") == 120)
    #expect(RetryAfter.seconds("Wed, 21 Oct 2015 07:28:30 GMT", now: now) == 30)
    #expect(RetryAfter.seconds("Wed, 21 Oct 2015 07:00:00 GMT", now: now) == 0)
    #expect(RetryAfter.seconds("soon") == nil && RetryAfter.seconds(nil) == nil)
  }
}
