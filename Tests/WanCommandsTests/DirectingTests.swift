import Foundation
import Subprocess
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("Directing") struct DirectingTests {
    private let short = ["generate", "--steps", "1", "--frames", "1", "--size", "64x32", "--seed", "1", "-o", "a.png"]

    @Test("list prints a model's words, with neither prompt nor run")
    func lists() async throws {
      let folder = try TemporaryFolder()
      let own = try await wan(["generate", "--light-source", "list", "--shot", "list"], in: folder)
      #expect(own.status.isSuccess && own.errors.isEmpty && folder.contents.isEmpty, "\(own.errors)")
      #expect(own.outputLines.first == "--light-source, of nano-ti2v" && own.outputLines.count == 6)
      #expect(own.outputLines.contains { $0.hasPrefix("  sunset    sunset scene  ") })
      #expect(own.outputLines.last == "--shot: nano-ti2v has no words for it")
      let golden = Folders.golden("t2v")
      let published = try await wan(["generate", "--shot", "list", "--model", golden], in: folder)
      #expect(published.outputLines.count == 8)
      #expect(published.outputLines.contains { $0.hasPrefix("  close-up ") && $0.hasSuffix("A face. 近景") })
      let json = try await wan(["generate", "--tone", "list", "-m", golden, "--json"], in: folder).events()
      let kinds = try #require(json.first?["kinds"] as? [[String: any Sendable]])
      #expect(kinds.count == 1 && (kinds[0]["words"] as? [[String: any Sendable]])?.count == 3)
      #expect(kinds[0]["kind"] as? String == "tone")
      let absent = try await wan(["generate", "--tone", "list", "-m", "nowhere"], in: folder)
      #expect(absent.status == .exited(1) && absent.errors.contains("nowhere"))
    }

    @Test("plan, clip and show have the composed prompt and its parts")
    func composed() async throws {
      let folder = try TemporaryFolder()
      let words = ["--light-source", "night", "--tone", "cool tones", "--camera-move", "static"]
      let text = "A blue star rises, night scene, cool tones, static camera."
      let run = try await wan(short + ["-p", "A blue star rises."] + words, in: folder)
      #expect(run.status.isSuccess, "\(run.errors)")
      let shown = try await wan(["show", "a.png"], in: folder)
      for line in [
        "prompt   \(text)", "asked    A blue star rises.",
        "words    light-source night, tone cool, camera-move static",
      ] {
        #expect(run.errorLines.contains { $0 == line } && shown.outputLines.contains { $0 == line }, "\(run.errors)")
      }
      let json = try #require(try await wan(["show", "a.png", "--json"], in: folder).events().first)
      #expect(json["prompt"] as? String == text && json["userPrompt"] as? String == "A blue star rises.")
      #expect(
        json["cinematography"] as? [String: String] == [
          "light-source": "night", "tone": "cool", "camera-move": "static",
        ])
      let written = try await wan(short + ["-p", text, "-o", "b.png", "--json"], in: folder)
      #expect(try written.events().first?["cinematography"] == nil)
      let frames = try await [
        wan(short + ["-p", text, "-o", "c.y4m"], in: folder),
        wan(
          short + ["-p", "A blue star rises", "-o", "d.y4m"] + words, in: folder),
      ]
      #expect(frames.allSatisfy { $0.status.isSuccess })
      #expect(try folder.bytes("c.y4m") == folder.bytes("d.y4m"))
    }

    static let wrong: [(arguments: [String], says: [String])] = [
      (["--tone", "warn"], ["--tone: 'warn'", "did you mean warm?"]),
      (["--tone", ""], ["--tone: ''", "warm, cool"]),
      (["--shot", "wide"], ["--shot: this model has no words for it, only for light-source"]),
      (["--time", "night"], ["--time: this model", "'night' is a word of light-source"]),
      (["--tone", "warm", "--prompt-language", "chinese"], ["--prompt-language: this model has no Chinese words"]),
      (["--tone", "warm", "--prompt-language", "latin"], ["--prompt-language"]),
      (["--prompt-language", "english"], ["--prompt-language", "--tone warm"]),
      (
        ["--shot", "wide", "-m", Folders.golden("ti2v"), "--light", "soft", "--time", "nihgt"],
        ["--time: 'nihgt'", "night?"]
      ),
    ]

    @Test("what is wrong is told before anything is made", arguments: wrong)
    func refusals(arguments: [String], says: [String]) async throws {
      let folder = try TemporaryFolder()
      let result = try await wan(short + ["-p", "A red ball"] + arguments, in: folder)
      #expect(result.status == .exited(64) && folder.contents.isEmpty, "\(result.errors)")
      for part in says { #expect(result.errors.contains(part), "\(result.errors)") }
    }

    @Test("a saved run goes on with the composed prompt")
    func resumed() async throws {
      let folder = try TemporaryFolder()
      let run = ["-p", "A red ball bounces", "--tone", "warm", "--save-run", "r", "--keep-run"]
      #expect(try await wan(short + run + ["--steps", "2"], in: folder).status.isSuccess)
      let first = try folder.bytes("a.png")
      let again = try await wan(["resume", "r"], in: folder)
      #expect(again.status.isSuccess, "\(again.errors)")
      #expect(again.errorLines.contains { $0 == "words    tone warm" })
      #expect(try folder.bytes("a.png") == first)
    }
  }
}
