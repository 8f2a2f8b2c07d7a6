import Foundation
import Subprocess
import Synchronization
import TestHub
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("Prompt extension") struct PromptExtensionTests {
    /// A language model that answers alike, and keeps what it was asked.
    private final class Model: Sendable {
      let server: HTTPServer
      private let log: Log

      private final class Log: Sendable {
        let questions = Mutex<[HTTPServer.Question]>([])
      }

      var questions: [HTTPServer.Question] { log.questions.withLock { $0 } }

      init(_ reply: Reply) async throws {
        let log = Log()
        self.log = log
        server = try await HTTPServer(asked: { question in
          log.questions.withLock { $0.append(question) }
          return reply
        })
      }
    }

    private static let text = "A blue star with sharp points rises over the hills, night scene."
    private static let said = Reply(200, Array(#"{"choices": [{"message": {"content": "\#(text)"}}]}"#.utf8))
    private static let key = "sk-very-secret"
    private let short = ["generate", "--steps", "1", "--frames", "1", "--size", "64x32", "--seed", "1", "-o", "a.png"]

    private func run(
      _ model: Model, _ arguments: [String], in folder: TemporaryFolder
    ) async throws -> CommandResult {
      let environment = Environment.hermetic.updating(["WAN_EXTEND_API_KEY": Self.key, "OPENAI_API_KEY": "sk-other"])
      let extending = ["--extend-prompt", model.server.address, "--extend-model", "llama-3"]
      return try await wan(short + extending + arguments, in: folder, environment: environment)
    }

    @Test("plan, clip and show have the text of the model beside the user's own, and nothing has the key")
    func success() async throws {
      let folder = try TemporaryFolder()
      let model = try await Model(Self.said)
      let arguments = ["-p", "A blue star", "--tone", "cool", "--save-run", "r", "--keep-run"]
      let run = try await run(model, arguments, in: folder)
      #expect(run.status.isSuccess, "\(run.errors)")
      let prompt = Self.text.dropLast() + ", cool tones."
      let shown = try await wan(["show", "a.png"], in: folder)
      for line in ["prompt   \(prompt)", "asked    A blue star", "extended by llama-3", "words    tone cool"] {
        #expect(run.errorLines.contains { $0 == line } && shown.outputLines.contains { $0 == line }, "\(run.errors)")
      }
      let json = try #require(try await wan(["show", "a.png", "--json"], in: folder).events().first)
      #expect(json["extendedPrompt"] as? [String: String] == ["text": Self.text, "model": "llama-3"])
      #expect(model.questions.first?.headers["authorization"] == "Bearer \(Self.key)")
      for file in ["a.png", "r/run.json"] {
        #expect(!String(decoding: try folder.bytes(file), as: UTF8.self).contains(Self.key), "\(file)")
      }
      #expect(!(run.errors + run.output).contains(Self.key))
      let first = try folder.bytes("a.png")
      let resumed = try await wan(["resume", "r"], in: folder)
      #expect(resumed.status.isSuccess && model.questions.count == 1, "\(resumed.errors)")
      #expect(try folder.bytes("a.png") == first)
    }

    @Test("a picture is shown to the model as a JPEG")
    func picture() async throws {
      let folder = try TemporaryFolder()
      let model = try await Model(Self.said)
      let run = try await run(model, ["-p", "", "-i", Folders.picture, "--json"], in: folder)
      #expect(run.status.isSuccess, "\(run.errors)")
      #expect(try run.events().first?["prompt"] as? String == Self.text)
      let body = String(decoding: try #require(model.questions.first).body, as: UTF8.self)
      #expect(body.contains("data:image/jpeg;base64,/9j/") && body.contains("Think of a motion"))
    }

    @Test("a failure costs a notice, and with --extend-or-fail the clip")
    func failures() async throws {
      let model = try await Model(Reply(401, Array(#"{"error": {"message": "no: \#(Self.key)"}}"#.utf8)))
      for quiet in [[], ["--json"]] {
        let folder = try TemporaryFolder()
        let run = try await run(model, ["-p", "A blue star"] + quiet, in: folder)
        #expect(run.status.isSuccess && folder.contents == ["a.png"], "\(run.errors)")
        let told = run.errors + run.output
        #expect(
          told.contains("the prompt is taken as it is") && told.contains("status 401") && !told.contains(Self.key))
        let json = try #require(try await wan(["show", "a.png", "--json"], in: folder).events().first)
        #expect(json["prompt"] as? String == "A blue star" && json["extendedPrompt"] == nil)
      }
      let folder = try TemporaryFolder()
      let run = try await run(model, ["-p", "A blue star", "--extend-or-fail"], in: folder)
      #expect(run.status == .exited(1) && folder.contents.isEmpty && run.errors.contains("--extend-prompt: 127.0.0.1"))
      #expect(!run.errors.contains(Self.key))
    }

    @Test("what is wrong with the rest of a request is told before any model is asked")
    func order() async throws {
      let model = try await Model(Self.said)
      for wrong in [["--frames", "6"], ["--tone", "warn"], ["--extend-timeout", "0"]] {
        let folder = try TemporaryFolder()
        let run = try await run(model, ["-p", "A blue star"] + wrong, in: folder)
        #expect(run.status == .exited(64) && run.errors.contains(wrong[0]) && folder.contents.isEmpty, "\(run.errors)")
      }
      #expect(model.questions.isEmpty)
    }

    @Test(
      "options that do not go together",
      arguments: [
        (["--extend-prompt", "http://localhost"], "--extend-model"), (["--extend-model", "m"], "--extend-prompt"),
        (["--extend-or-fail"], "--extend-prompt"),
        (["--extend-prompt", "localhost:80", "--extend-model", "m"], "--extend-prompt: the endpoint is no address"),
      ])
    func options(arguments: [String], part: String) async throws {
      let folder = try TemporaryFolder()
      let run = try await wan(short + ["-p", "A blue star"] + arguments, in: folder)
      #expect(run.status == .exited(64) && run.errors.contains(part) && folder.contents.isEmpty, "\(run.errors)")
    }
  }
}
