import Foundation
import Subprocess
import TestHub
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("pull and models") struct HubTests {
    /// A hub that has the bundled model, and the surroundings in which commands find it.
    private struct Place {
      let folder: TemporaryFolder
      let hub: FakeHub
      let environment: Environment

      init(twist: @escaping FakeHub.Twist = { _, _ in nil }) async throws {
        folder = try TemporaryFolder()
        let names = try FileManager.default.subpathsOfDirectory(atPath: Folders.nano).filter {
          !Folders.isFolder(Folders.nano + "/" + $0)
        }
        let files = try names.sorted().map { name in
          let bytes = Array(try Golden.data(Folders.nano + "/" + name))
          return FakeHub.File(name, bytes, isLarge: bytes.count > 100_000)
        }
        hub = try await FakeHub(files, twist: twist)
        environment = .hermetic.updating([
          "HF_HUB_CACHE": folder.path("cache"), "HF_ENDPOINT": hub.address, "HF_HOME": folder.path("home"),
          "HF_TOKEN": "hf_secret", "WAN_MODELS": nil, "HF_HUB_OFFLINE": nil,
        ])
      }

      var snapshot: String { folder.path("cache/models--Owner--Some-Model/snapshots/\(FakeHub.commit)") }

      func wan(_ arguments: String...) async throws -> CommandResult {
        try await WanCommandsTests.wan(arguments, in: TemporaryFolder(), environment: environment)
      }
    }

    @Test("pull tells the snapshot and the command that uses it; generate, inspect and models then know the name")
    func everything() async throws {
      let place = try await Place()
      let pull = try await place.wan("pull", FakeHub.model)
      #expect(pull.status.isSuccess && pull.errors.isEmpty, "\(pull.errors)")
      #expect(pull.outputLines.contains { $0 == place.snapshot })
      #expect(pull.outputLines.last == "use it with: wan generate --model \(FakeHub.model) --prompt \"...\"")
      let generate = try await place.wan(
        "generate", "--model", FakeHub.model, "-p", "a", "--steps", "1", "--frames", "1", "--size", "32x32", "-o",
        "a.png")
      #expect(generate.status.isSuccess && generate.errors.contains(place.snapshot), "\(generate.errors)")
      let inspect = try await place.wan("inspect", FakeHub.model)
      #expect(inspect.status.isSuccess && inspect.output.hasPrefix("\(place.snapshot): ti2v-5b"), "\(inspect.output)")
      let quiet = try await place.wan("pull", FakeHub.model, "--quiet")
      #expect(quiet.output == place.snapshot + "\n")
      let list = try await place.wan("models")
      #expect(list.output.contains("\n  \(FakeHub.model): ") && list.output.contains(", ti2v-5b"), "\(list.output)")
      let json = try #require(try await place.wan("models", "--json").events().first?["models"] as? [[String: Any]])
      #expect(json.count == 1 && json[0]["complete"] as? Bool == true && json[0]["kind"] as? String == "ti2v-5b")
      #expect(json[0]["revision"] as? String == FakeHub.commit && json[0]["path"] as? String == place.snapshot)
    }

    @Test("pull that is stopped keeps what it has, tells so, and goes on", arguments: [Signal.interrupt, .terminate])
    func stopped(_ signal: Signal) async throws {
      let place = try await Place { call, usual in
        call.uri.hasPrefix("/blobs/") && call.number == 1 ? usual.slow(50) : nil
      }
      let command = try await WanCommandsTests.configuration(
        BuiltCommand.path(), ["pull", FakeHub.model].map { Array($0.utf8) }, in: place.folder,
        environment: place.environment)
      let hub = place.hub
      let result = try await run(command, input: .none, output: .discarded, error: .bytes(limit: 1 << 20)) {
        execution in
        while !hub.calls.contains(where: { $0.host == "store" }) { try await Task.sleep(for: .milliseconds(10)) }
        try await Task.sleep(for: .milliseconds(300))
        try execution.send(signal: signal)
      }
      let errors = String(decoding: result.standardError, as: UTF8.self)
      #expect(result.terminationStatus == .exited(130), "\(errors)")
      #expect(errors.hasSuffix("stopped; what has come is kept, and the same command goes on\n"), "\(errors)")
      let list = try await place.wan("models")
      #expect(list.output.contains(" to come"), "\(list.output)")
      let model = try await place.wan("generate", "-p", "a", "--model", FakeHub.model)
      #expect(model.status == .exited(1) && model.errors.contains("wan pull \(FakeHub.model)"), "\(model.errors)")
      #expect(try await place.wan("pull", FakeHub.model).status.isSuccess)
      let json = try #require(try await place.wan("models", "--json").events().first?["models"] as? [[String: Any]])
      #expect(json.first?["complete"] as? Bool == true && json.first?["unfinished"] as? Int == 0)
    }

    @Test("models removes a model where it is told yes, and says what that frees")
    func removal() async throws {
      let place = try await Place()
      #expect(try await place.wan("models").output.contains("'wan pull ti2v-5b' downloads one"))
      try #require(try await place.wan("pull", FakeHub.model).status.isSuccess)
      let refused = try await place.wan("models", "--remove", FakeHub.model)
      #expect(refused.status == .exited(1) && refused.errors.contains("give --yes"), "\(refused.errors)")
      #expect(FileManager.default.fileExists(atPath: place.snapshot))
      let removed = try await place.wan("models", "--remove", FakeHub.model, "--yes")
      #expect(removed.output.hasPrefix("removed '\(FakeHub.model)': "), "\(removed.errors)")
      #expect(!FileManager.default.fileExists(atPath: place.folder.path("cache/models--Owner--Some-Model")))
      let again = try await place.wan("models", "--remove", FakeHub.model, "--yes")
      #expect(again.status == .exited(1) && again.errors.contains("there is no '\(FakeHub.model)'"))
    }

    @Test("models lists folders of WAN_MODELS, and says what they are")
    func folders() async throws {
      let folder = try TemporaryFolder()
      try folder.link(model: Folders.nano, as: "many/one")
      let environment = Environment.hermetic.updating([
        "HF_HUB_CACHE": folder.path("none"), "WAN_MODELS": "\(Folders.golden("i2v")):\(folder.path("many"))",
      ])
      let list = try await wan(["models"], in: folder, environment: environment)
      #expect(
        list.outputLines.count == 2 && list.output.contains("i2v-a14b (\(Folders.golden("i2v")))"), "\(list.output)")
      #expect(list.output.contains("  one: ") && list.output.contains("ti2v-5b (\(folder.path("many/one")))"))
    }

    @Test("commands say what is wrong with a name, and what to pull")
    func names() async throws {
      let place = try await Place()
      for (arguments, code, says) in [
        (["generate", "-p", "a", "--model", "ti2v-5b"], Int32(1), "'wan pull ti2v-5b' downloads it"),
        (["generate", "-p", "a", "--model", "Wan2.2-T2V-A14B"], 1, "'wan pull t2v-a14b' downloads it"),
        (["inspect", "some/model"], 1, "'wan pull some/model' downloads it"),
        (["inspect", "some/model.gguf"], 1, "there is no such file or folder"),
        (["pull", "nothing"], 64, "OWNER/NAME"), (["pull", "../x"], 64, "<model>"), (["pull"], 64, "<model>"),
        (["pull", FakeHub.model, "--jobs", "0"], 64, "--jobs 0"),
        (["pull", FakeHub.model, "--endpoint", "hub"], 1, "the endpoint 'hub'"),
        (["pull", FakeHub.model, "--revision", "../x"], 1, "the revision '../x'"),
        (["pull", FakeHub.model, "--revision", "dev"], 1, "no revision 'dev'"),
        (["pull", FakeHub.model, "--include", "*.xyz"], 1, "no file of '\(FakeHub.model)' matches"),
        (["pull", "Owner/Other"], 1, "check the spelling"),
        (["models", "--yes"], 64, "--remove"), (["models", "--remove", "x"], 64, "--remove"),
      ] {
        let result = try await wan(arguments, in: TemporaryFolder(), environment: place.environment)
        #expect(result.status == .exited(code) && result.errors.contains(says), "\(arguments): \(result.errors)")
      }
      #expect(!FileManager.default.fileExists(atPath: place.folder.path("cache")))
    }
  }
}
