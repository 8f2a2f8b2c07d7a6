import Foundation
import Synchronization
import TestHub
import TestSupport
import Testing

@testable import Prompts

/// A language model on this machine that misbehaves as told, and what comes of a prompt.
///
/// Where all tests run at once, a thread may wait for a minute: what ends in time is seen by its error, not by a clock.
struct ExtensionTests {
  /// What an endpoint was asked.
  private final class Log: Sendable {
    private let calls = Mutex<[HTTPServer.Question]>([])
    func add(_ call: HTTPServer.Question) -> Int {
      calls.withLock { calls in
        calls.append(call)
        return calls.count
      }
    }
    var all: [HTTPServer.Question] { calls.withLock { $0 } }

    /// A question's body.
    func body(_ index: Int = 0) throws -> [String: any Sendable] {
      try #require(JSONSerialization.jsonObject(with: Data(all[index].body)) as? [String: any Sendable])
    }
  }

  private static let key = "sk-secret-0123456789"

  private static func said(_ text: String) -> [UInt8] {
    let answer: [String: Any] = [
      "id": "1", "choices": [["index": 0, "message": ["role": "assistant", "content": text]]],
    ]
    return Array((try? JSONSerialization.data(withJSONObject: answer)) ?? Data())
  }

  /// - Parameter answer: to the n-th question, from 1 on.
  private func ask(
    _ question: ExtensionQuestion = ExtensionQuestion("A cat"), path: String = "", key: String? = Self.key,
    seconds: Double = 3600, log: Log? = nil, _ answer: @escaping @Sendable (Int) -> Reply
  ) async throws -> ExtendedPrompt {
    let log = log ?? Log()
    let server = try await HTTPServer(asked: { answer(log.add($0)) })
    var endpoint = try ChatEndpoint(server.address + path, model: "llama", key: key)
    (endpoint.patience.seconds, endpoint.patience.firstPause) = (seconds, 0.01)
    return try await PromptExtender(endpoint).extend(question)
  }

  private func failure(
    seconds: Double = 3600, log: Log? = nil, _ answer: @escaping @Sendable (Int) -> Reply
  ) async throws -> ExtensionError {
    try await #require(throws: ExtensionError.self) {
      _ = try await ask(seconds: seconds, log: log, answer)
    }
  }

  @Test("one question at temperature 0 brings the text, and shows the key to the endpoint")
  func success() async throws {
    let log = Log()
    let told = try await ask(log: log) { _ in Reply(200, Self.said("  \"A grey cat\n\nsits on a roof.\" ")) }
    #expect(told == ExtendedPrompt("A grey cat sits on a roof.", by: "llama"))
    #expect(log.all.count == 1 && log.all[0].uri == "/v1/chat/completions" && log.all[0].method == "POST")
    #expect(log.all[0].headers["authorization"] == "Bearer \(Self.key)")
    let body = try log.body()
    #expect(body["temperature"] as? Int == 0 && body["model"] as? String == "llama" && body["stream"] as? Bool == false)
    let messages = try #require(body["messages"] as? [[String: any Sendable]])
    #expect(messages.map { $0["role"] as? String } == ["system", "user"])
    #expect(messages[1]["content"] as? String == "A cat")
    #expect(
      (messages[0]["content"] as? String)?.contains("- light-source: daylight, artificial lighting, moonlight") == true)
  }

  @Test(
    "an address may end anywhere",
    arguments: [
      ("", "/v1/chat/completions"), ("/", "/v1/chat/completions"), ("/v1", "/v1/chat/completions"),
      ("/v1/", "/v1/chat/completions"), ("/v1/chat/completions", "/v1/chat/completions"),
      ("/api/v3", "/api/v3/chat/completions"), ("/v1?version=2", "/v1/chat/completions?version=2"),
    ])
  func addresses(path: String, asked: String) async throws {
    let log = Log()
    _ = try await ask(path: path, key: nil, log: log) { _ in Reply(200, Self.said("A cat.")) }
    #expect(log.all.first?.uri == asked && log.all.first?.headers["authorization"] == nil)
  }

  @Test(
    "addresses and names that are none are refused, and not repeated",
    arguments: [
      "", "localhost:8080", "ftp://a/v1", "http://", "http://user:sk-secret@host/v1", "http://host/#sk-secret",
    ])
  func badAddresses(address: String) throws {
    let error = try #require(throws: ExtensionError.self) { try ChatEndpoint(address, model: "m") }
    #expect(!error.description.contains("secret"))
    #expect(throws: ExtensionError.self) { try ChatEndpoint("http://a", model: "") }
    #expect(throws: ExtensionError.self) { try ChatEndpoint("http://a", model: "m", key: "sk\u{1F}secret") }
  }

  @Test("a busy endpoint and a broken connection are asked again, and then given up")
  func retries() async throws {
    let log = Log()
    let told = try await ask(log: log) { number in
      switch number {
      case 1: Reply(429, [], headers: ["Retry-After": "0"])
      case 2: Reply(500, Array("oops".utf8))
      case 3: Reply(200, Self.said("lost")).breaking(after: 9)
      default: Reply(200, Self.said("A cat sits."))
      }
    }
    #expect(told.text == "A cat sits." && log.all.count == 4)
    let busy = Log()
    let error = try await failure(log: busy) { _ in
      Reply(503, Array(#"{"error": {"message": "loading model"}}"#.utf8))
    }
    #expect(busy.all.count == 4)
    #expect(error.description.contains("(4 attempts): status 503 ('loading model')"), "\(error)")
    let dropped = try await failure { _ in .dropped }
    #expect(dropped.description.contains("(4 attempts)"), "\(dropped)")
  }

  @Test("a port where nothing listens")
  func unreachable() async throws {
    var endpoint = try ChatEndpoint("http://127.0.0.1:1", model: "m")
    (endpoint.patience.seconds, endpoint.patience.firstPause, endpoint.patience.attempts) = (3600, 0.01, 2)
    let error = try await #require(throws: ExtensionError.self) {
      _ = try await PromptExtender(endpoint).extend(ExtensionQuestion("A cat"))
    }
    #expect(error.description.hasSuffix("(2 attempts): no connection; does the server run?"), "\(error)")
  }

  @Test("an answer in small pieces, without a length, is whole")
  func pieces() async throws {
    let text = String(repeating: "一只猫坐在屋顶上。", count: 40)
    let told = try await ask { _ in Reply(200, Self.said(text)).inPieces(of: 7) }
    #expect(told.text == text)
  }

  @Test("what is too slow is given up in time: no answer, half of one, drops of one", .timeLimit(.minutes(10)))
  func slow() async throws {
    let replies: [Reply] = [
      .silent, Reply(200, Self.said("A cat.")).stalling(after: 20),
      Reply(200, Self.said("A cat.")).inPieces(of: 1).slow(200),
    ]
    for reply in replies {
      let error = try await failure(seconds: 0.5) { _ in reply }
      #expect(error.description.contains("has not answered within 0.5 seconds"), "\(error)")
    }
  }

  @Test(
    "an endpoint that wants to be left alone for longer than there is time is not waited for", .timeLimit(.minutes(10)))
  func wishes() async throws {
    let log = Log()
    let error = try await failure(log: log) { _ in Reply(429, [], headers: ["Retry-After": "9000000000000000000"]) }
    #expect(error.description.contains("(1 attempt): status 429, and it wants to be asked in 1000000000"), "\(error)")
    #expect(log.all.count == 1)
  }

  @Test("an answer of 100 MB is cut off", .timeLimit(.minutes(10)))
  func large() async throws {
    let error = try await failure { _ in Reply(200, Array(repeating: 0x20, count: 100 << 20)) }
    #expect(error.description.contains("it has more than 1048576 bytes"), "\(error)")
    let refusal = try await failure { _ in Reply(400, Array(repeating: 0x20, count: 100 << 20)) }
    #expect(refusal.description.contains("refuses with status 400"), "\(refusal)")
  }

  @Test(
    "an answer that holds no prompt is refused",
    arguments: [
      ("", "it is not the JSON of a chat"), ("<html>hello</html>", "begins '<html>hello</html>'"),
      ("{}", "not the JSON"), (#"{"choices": []}"#, "its text is empty"),
      (#"{"choices": [{"message": {"content": null}}]}"#, "its text is empty"),
      (#"{"choices": [{"message": {"content": " \n "}}]}"#, "its text is empty"),
      (#"{"choices": [{"message": {"content": "<think>hm"}}]}"#, "its text is empty"),
      (#"{"choices": [{"message": {"content": 7}}]}"#, "not the JSON"),
      (String(repeating: "[", count: 100_000), "not the JSON"),
      (
        #"{"choices": [{"message": {"content": ""# + String(repeating: "cat ", count: 3000) + #""}}]}"#,
        "has 11999 bytes"
      ),
    ])
  func wrong(body: String, reason: String) async throws {
    let log = Log()
    let error = try await failure(log: log) { _ in Reply(200, Array(body.utf8)) }
    guard case .badAnswer = error else { throw error }
    #expect(error.description.contains(reason) && log.all.count == 1, "\(error)")
    #expect(error.description.utf8.count < 400)
  }

  @Test("an answer's text is taken out of thoughts, quotation marks, fences and parts")
  func taken() async throws {
    for (text, prompt) in [
      ("<think>\nA cat?\n</think>\n\nA cat sits.", "A cat sits."), ("```\nA cat sits.\n```", "A cat sits."),
      ("“一只猫。”", "一只猫。"), ("\"Yes\" says a \"cat\"", "\"Yes\" says a \"cat\""), ("A\u{7}cat\r\nsits", "A cat sits"),
    ] {
      #expect(try await ask { _ in Reply(200, Self.said(text)) }.text == prompt)
    }
    let parts = #"{"choices": [{"message": {"content": [{"type": "text", "text": "A cat "}, {"text": "sits."}]}}]}"#
    #expect(try await ask { _ in Reply(200, Array(parts.utf8)) }.text == "A cat sits.")
  }

  @Test("a refused key, model or address is told at once, and the key never", arguments: [400, 401, 403, 404, 302])
  func refused(status: Int) async throws {
    let log = Log()
    let said = #"{"error": {"message": "wrong key \#(Self.key) \u001b[2J"}}"#
    let error = try await failure(log: log) { _ in
      Reply(status, Array(said.utf8), headers: ["Location": "http://127.0.0.1:1/elsewhere"])
    }
    #expect(log.all.count == 1 && error.description.contains("status \(status)"))
    #expect(!"\(error)".contains(Self.key) && !String(reflecting: error).contains(Self.key))
    #expect(!error.description.contains("\u{1B}"))
    #expect(!"\(try ChatEndpoint("http://a", model: "m", key: Self.key))".contains(Self.key))
  }

  @Test("a task that is cancelled stops asking", .timeLimit(.minutes(10)))
  func cancelled() async throws {
    let task = Task { try await ask { _ in .silent } }
    try await Task.sleep(for: .milliseconds(200))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("a picture goes along as it is, and is asked about with rules of its own")
  func pictures() async throws {
    let log = Log()
    let picture = ExtensionQuestion.Picture([1, 2, 3, 250], type: "image/jpeg")
    _ = try await ask(ExtensionQuestion("", picture: picture), log: log) { _ in Reply(200, Self.said("A cat jumps.")) }
    let messages = try #require(try log.body()["messages"] as? [[String: any Sendable]])
    let parts = try #require(messages[1]["content"] as? [[String: any Sendable]])
    #expect((parts[0]["text"] as? String)?.contains("Think of a motion") == true)
    #expect(
      (parts[1]["image_url"] as? [String: any Sendable])?["url"] as? String == "data:image/jpeg;base64,AQID+g==")
    let system = try #require(messages[0]["content"] as? String)
    #expect(system.contains("at most 100 words") && system.contains("Answer with the text alone, in English"))
  }

  @Test("the question names the vocabulary's words in the answer's language, and those that were chosen")
  func question() {
    var question = ExtensionQuestion("一只猫", cinematography: [.lightSource: "moonlight"])
    var text = ExtensionInstructions(question: question).text
    #expect(text.contains("- light-source: 日光, 人工光, 月光") && text.contains("in Chinese"))
    #expect(text.contains("月光 (light-source)") && text.contains("60 to 200 words"))
    #expect(text.contains("choose no camera-angle") && text.contains("the style is no film"))
    question.language = .english
    text = ExtensionInstructions(question: question).text
    #expect(
      text.contains("moonlight (light-source)") && text.contains("in English") && text.contains("at most 4 kinds"))
    question.vocabulary = CinematographyVocabulary(
      kinds: [.init(.tone, [.init("warm", english: "warm tones", meaning: "")])], place: .behind)
    text = ExtensionInstructions(question: question).text
    #expect(text.contains("- tone: warm tones") && text.contains("behind the subject"))
    #expect(!text.contains("camera-angle") && !text.contains("no film") && !text.contains("kinds, "))
  }
}
