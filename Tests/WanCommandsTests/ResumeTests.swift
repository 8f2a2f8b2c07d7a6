import Foundation
import Subprocess
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("Saved runs") struct ResumeTests {
    /// A run that is killed again and again.
    struct Victim: Sendable, CustomTestStringConvertible {
      let model, solver: String
      var extra: [String] = []

      var testDescription: String { "\(model) \(solver) \(extra)" }

      /// Long enough for a kill to hit any part of it.
      var arguments: [String] {
        [
          "generate", "--model", Folders.golden(model), "-p", "a red ball", "--seed", "3", "--size", "96x64",
          "--frames", "9", "--steps", "12", "--solver", solver, "--precision", "f32", "-o", "a.y4m", "--quiet",
        ] + extra
      }
    }

    static let victims =
      ["unipc", "dpm++", "euler", "lcm"].flatMap { solver in
        [
          Victim(model: "t2v", solver: solver, extra: solver == "euler" ? ["--guidance-until", "7"] : []),
          Victim(model: "t2v", solver: solver, extra: ["--cache", "10", "--guidance-until", "7"]),
          Victim(model: "i2v", solver: solver, extra: ["--image", Folders.picture]),
          Victim(model: "ti2v", solver: solver, extra: ["--image", Folders.picture, "--vae-tiles", "1x2"]),
        ]
      } + [Victim(model: "ti2v", solver: "euler-ancestral")]

    /// Runs a command, and kills it so many milliseconds after its start; `nil` leaves it alone.
    private func killed(_ arguments: [String], after milliseconds: Int?, in folder: TemporaryFolder) async throws
      -> Bool
    {
      let settings = try await configuration(
        BuiltCommand.path(), arguments.map { Array($0.utf8) }, in: folder)
      let result = try await run(settings, input: .none, output: .discarded, error: .discarded) { execution in
        guard let milliseconds else { return }
        try await Task.sleep(for: .milliseconds(milliseconds))
        try? execution.send(signal: .kill)
      }
      return !result.terminationStatus.isSuccess
    }

    /// Every kill is followed by another run from what it left, until one of them ends by itself.
    @Test("lose nothing to kills at any moment: the clip is that of an undisturbed run", arguments: victims)
    func kills(_ victim: Victim) async throws {
      let whole = try TemporaryFolder()
      let started = ContinuousClock.now
      #expect(try await wan(victim.arguments, in: whole).status.isSuccess)
      let milliseconds = Int((ContinuousClock.now - started) / .milliseconds(1))
      let clip = try whole.bytes("a.y4m")
      let folder = try TemporaryFolder()
      var random = SystemRandomNumberGenerator()
      var arguments = victim.arguments + ["--save-run", "a.run"]
      for _ in 0..<4 {
        guard try await killed(arguments, after: .random(in: 0...milliseconds, using: &random), in: folder) else {
          break
        }
        // A kill before the run was saved leaves nothing to go on with.
        if FileManager.default.fileExists(atPath: folder.path("a.run/run.json")) {
          arguments = ["resume", "a.run", "--quiet"]
        }
      }
      if FileManager.default.fileExists(atPath: folder.path("a.run/run.json")) {
        let result = try await wan(["resume", "a.run", "--quiet"], in: folder)
        #expect(result.status.isSuccess, "\(result.errors)")
      } else if !FileManager.default.fileExists(atPath: folder.path("a.y4m")) {
        #expect(try await wan(arguments, in: folder).status.isSuccess)
      }
      #expect(try folder.bytes("a.y4m") == clip)
      #expect(folder.contents.filter { !$0.hasPrefix(".") } == ["a.y4m"])
    }

    @Test("are listed with what they take, and go on in the folder that they were started in, under another name too")
    func listing() async throws {
      let folder = try TemporaryFolder()
      let victim = Victim(model: "ti2v", solver: "unipc")
      _ = try await wan(victim.arguments + ["--save-run", "a.run/", "--keep-run"], in: folder)
      let list = try await wan(["runs"], in: folder)
      #expect(list.output.hasPrefix("a.run: step 12 of 12, decoding is left, "), "\(list.output)")
      let report = try await wan(["runs", folder.path, "--json"], in: TemporaryFolder()).events()
      #expect((report.first?["runs"] as? [[String: any Sendable]])?.first?["steps"] as? Int == 12)
      let elsewhere = try TemporaryFolder()
      let resumed = try await wan(
        ["resume", folder.path("a.run") + "/", "-o", "b.y4m", "--keep-run", "--json"], in: elsewhere)
      #expect(resumed.status.isSuccess, "\(resumed.errors)")
      #expect(try resumed.events().first?["stepsDone"] as? Int == 12)
      #expect(try elsewhere.bytes("b.y4m") == folder.bytes("a.y4m"))
      #expect(try await wan(["resume", folder.path("a.run"), "-q"], in: elsewhere).status.isSuccess)
      #expect(folder.contents == ["a.y4m"])
      #expect(try await wan(["runs"], in: folder).output.hasPrefix("no saved runs here"))
    }

    @Test("that would go on to another clip are refused with what differs")
    func refusals() async throws {
      let folder = try TemporaryFolder()
      let model = try folder.link(model: Folders.nano, as: "model")
      let weights = model + "/diffusion_pytorch_model.safetensors"
      let original = try FileManager.default.destinationOfSymbolicLink(atPath: weights)
      try FileManager.default.removeItem(atPath: weights)
      try FileManager.default.copyItem(atPath: original, toPath: weights)
      let arguments = [
        "generate", "--model", "model", "-p", "a red ball", "--size", "64x32", "--frames", "5", "--steps", "2", "-o",
        "a.y4m", "--save-run", "a.run", "--keep-run",
      ]
      #expect(try await wan(arguments, in: folder).status.isSuccess)
      var bytes = try Data(contentsOf: URL(fileURLWithPath: weights))
      bytes[bytes.count - 1] ^= 1
      try bytes.write(to: URL(fileURLWithPath: weights))
      let result = try await wan(["resume", "a.run"], in: folder)
      #expect(result.status == .exited(1) && result.errors.contains("these differ"), "\(result.errors)")
      #expect(result.errors.contains("file model/diffusion_pytorch_model.safetensors"))
      let busy = try await wan(arguments, in: folder)
      #expect(busy.errors.contains("holds a saved run already"), "\(busy.errors)")
      for (wrong, part) in [
        (["resume", "none"], "holds no saved run"), (["resume", "model"], "holds no saved run"),
        (["generate", "-p", "a", "--save-every", "3"], "go with --save-run"),
        (["generate", "-p", "a", "--save-run", "b", "-o", "-"], "--save-run cannot"),
        (["generate", "-p", "a", "--save-run", "model"], "holds other files"),
        (["generate", "-p", "a", "--save-run", "no/where"], "there is no folder"),
        (["runs", "--remove", "none"], "holds no saved run"),
      ] {
        let result = try await wan(wrong, in: folder)
        #expect(!result.status.isSuccess && result.errors.contains(part), "\(wrong): \(result.errors)")
      }
      #expect(try await wan(["runs", "--remove", "a.run"], in: folder).status.isSuccess)
      #expect(!FileManager.default.fileExists(atPath: folder.path("a.run")))
    }

    @Test("a run that fails after some steps leaves where it stood, though nobody asked for that")
    func failure() async throws {
      let folder = try TemporaryFolder()
      try FileManager.default.copyItem(atPath: Folders.golden("t2v"), toPath: folder.path("model"))
      // The second expert's last number is none.
      let names = try #require(FileManager.default.subpaths(atPath: folder.path("model")))
      let name = try #require(names.first { $0.hasPrefix("low_noise_model/") && $0.hasSuffix(".safetensors") })
      let weights = URL(fileURLWithPath: folder.path("model/" + name))
      let sound = try Data(contentsOf: weights)
      try (sound.dropLast(4) + [0, 0, 0xC0, 0x7F]).write(to: weights)
      let victim = Victim(model: "t2v", solver: "unipc")
      let arguments = victim.arguments.map { $0 == Folders.golden("t2v") ? "model" : $0 }
      let failed = try await wan(arguments, in: folder)
      #expect(failed.errors.contains("'wan resume a.run' goes on from there"), "\(failed.errors)")
      #expect(folder.contents == ["a.run", "model"])
      let list = try await wan(["runs"], in: folder)
      #expect(list.output.contains(" of 12") && !list.output.contains("step 0 "), "\(list.output)")
      // With a sound file the run is another one, and is told so.
      try sound.write(to: weights)
      #expect(try await wan(["resume", "a.run"], in: folder).errors.contains("file model/low_noise_model/"))
    }
  }
}
