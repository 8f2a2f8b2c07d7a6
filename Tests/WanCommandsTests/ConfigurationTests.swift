import Foundation
import Subprocess
import TestSupport
import Testing

@testable import WanCommands

@Suite("Which defaults give way") struct OptionConflictTests {
  /// The options that are put in front of a command line's, with these files' settings.
  private func arguments(_ text: String, _ line: String) throws -> String {
    let folder = try TemporaryFolder()
    try folder.write("c.toml", Data(text.utf8))
    let given = ["--config", folder.path("c.toml")] + line.split(separator: " ").map(String.init)
    let configured = try ConfiguredArguments(given, environment: [:])
    return configured.list.joined(separator: " ")
  }

  @Test(
    "a default gives way to what says it otherwise, and is left out without what it needs",
    arguments: [
      ("steps = 30", "generate -p a", "generate --steps=30 -p a"),
      ("steps = 30", "generate -p a --steps 2", "generate -p a --steps 2"),
      ("steps = 30", "generate -p a --steps=2", "generate -p a --steps=2"),
      ("steps = 30", "generate -p --steps", "generate --steps=30 -p --steps"),
      ("steps = 30", "generate -p a --sigmas 1,0.5", "generate -p a --sigmas 1,0.5"),
      ("sigmas = [1, 0.5]", "generate -p a --preset lightx2v", "generate -p a --preset lightx2v"),
      ("negative-prompt = \"b\"", "generate -p a --no-negative-prompt", "generate -p a --no-negative-prompt"),
      ("no-negative-prompt = true", "generate -p a --negative-prompt b", "generate -p a --negative-prompt b"),
      ("no-negative-prompt = false", "generate -p a", "generate -p a"),
      ("image = \"i.png\"", "generate -p a --continue c.mp4", "generate -p a --continue c.mp4"),
      ("quiet = true", "generate -p a --json", "generate -p a --json"),
      ("json = true", "generate -p a -o -", "generate -p a -o -"),
      ("model = \"m\"", "generate -m n -p a", "generate -m n -p a"),
      ("vae = \"v.safetensors\"", "generate -m n -p a", "generate -m n -p a"),
      ("vae = \"tiny\"", "generate -m n -p a", "generate --vae=tiny -m n -p a"),
      ("lora = [\"a\", \"b\"]", "generate -p a", "generate --lora=a --lora=b -p a"),
      ("lora = [\"a\", \"b\"]", "generate -p a --lora c", "generate -p a --lora c"),
      ("preview-every = 2", "generate -p a", "generate -p a"),
      ("preview-every = 2", "generate -p a --preview p.png", "generate --preview-every=2 -p a --preview p.png"),
      ("extend-model = \"m\"", "generate -p a", "generate -p a"),
      ("int8-cache = \"auto\"", "generate -p a", "generate -p a"),
      ("int8-cache = \"auto\"", "generate -p a --precision int8", "generate --int8-cache=auto -p a --precision int8"),
      ("camera-angle = \"aerial\"", "generate -p a --camera-move orbit", "generate -p a --camera-move orbit"),
      ("style = \"anime\"", "generate -p a --tone warm", "generate -p a --tone warm"),
      ("steps = 30\n[generate]\nsigmas = [1]", "generate -p a", "generate --sigmas=1 -p a"),
      ("[bench]\nrepeat = 2\n[bench.vae]\nrepeat = 3", "bench vae --json", "bench vae --repeat=3 --json"),
      ("[bench]\nrepeat = 2\n[bench.vae]\nrepeat = 3", "bench text", "bench text --repeat=2"),
      ("steps = 30", "rerun c.mp4 --fps 8", "rerun c.mp4 --fps 8"), ("steps = 30", "pull x", "pull x"),
      ("steps = 30", "generate -p a -- --steps 2", "generate --steps=30 -p a -- --steps 2"),
    ])
  func giving(_ text: String, _ line: String, _ expected: String) throws {
    #expect(try arguments(text, line) == expected)
  }

  @Test("every option that a rule names is one")
  func names() throws {
    let known = Set(try CommandOptions().defaultable.keys)
    #expect(OptionConflicts.names.subtracting(known).isEmpty, "\(OptionConflicts.names.subtracting(known))")
  }
}

extension WanCommandTests {
  @Suite("Defaults of one's own") struct ConfigurationTests {
    private let clip = ["generate", "-p", "a", "-o", "a.png", "--size", "32x32"]

    private func folder(user: String? = nil, here: String? = nil) throws -> TemporaryFolder {
      let folder = try TemporaryFolder()
      let own = folder.path("xdg/wan")
      try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
      if let user { try folder.write("xdg/wan/wan.toml", Data(user.utf8)) }
      if let here { try folder.write("wan.toml", Data(here.utf8)) }
      return folder
    }

    private func run(
      _ arguments: [String], in folder: TemporaryFolder, _ variables: [Environment.Key: String?] = [:]
    ) async throws -> CommandResult {
      let environment = Environment.hermetic.updating(["XDG_CONFIG_HOME": folder.path("xdg")]).updating(variables)
      return try await wan(arguments, in: folder, environment: environment)
    }

    private func sampling(_ result: CommandResult) -> String {
      #expect(result.status.isSuccess, "\(result.errors)")
      return result.errorLines.filter { $0.hasPrefix("sampling") || $0.hasPrefix("clip") }.joined(separator: "; ")
    }

    @Test("the command line comes before the environment, that before ./wan.toml, that before the user's file")
    func order() async throws {
      let folder = try folder(
        user: "steps = 2\nframes = 5\nfps = 7\nseed = 1\n", here: "seed = 2\nframes = 9\n[generate]\nfps = 8\n")
      let variables: [Environment.Key: String?] = ["WAN_SEED": "3", "WAN_FRAMES": "13"]
      let plain = sampling(try await run(clip, in: folder))
      #expect(plain.contains("2 steps") && plain.contains("9 frames at 8 fps") && plain.contains("seed 2 "), "\(plain)")
      let varied = sampling(try await run(clip, in: folder, variables))
      #expect(varied.contains("13 frames at 8 fps") && varied.contains("seed 3 "), "\(varied)")
      let given = sampling(try await run(clip + ["--seed", "4", "--frames", "1"], in: folder, variables))
      #expect(given.contains("1 frame at 8 fps") && given.contains("seed 4 "), "\(given)")
      let none = sampling(
        try await run(clip + ["--no-config", "--frames", "1", "--steps", "1"], in: folder, variables))
      #expect(none.contains("1 step ") && none.contains("at 12 fps"), "\(none)")
      try folder.write("other.toml", Data("steps = 1\nframes = 1\n".utf8))
      let named = sampling(try await run(["--config", "other.toml"] + clip, in: folder))
      #expect(named.contains("1 step ") && named.contains("1 frame at 12 fps"), "\(named)")
    }

    @Test(
      "what is wrong in a file is told with its line, before anything is made",
      arguments: [
        ("steps = 2\nstpes = 3", "wan.toml:2: 'stpes' is no option of any command; the nearest is 'steps'"),
        ("[generate]\nrepeat = 3", "wan.toml:2: 'repeat' is no option of 'wan generate'"),
        ("[generat]\nsteps = 3", "wan.toml:2: [generat] is no command of wan's; the nearest is [generate]"),
        ("quiet = 1", "wan.toml:1: 'quiet' is true or false"), ("\nsteps = true", "wan.toml:2: 'steps' takes a value"),
        ("steps = [\"a\"]", "wan.toml:1: 'steps' takes one value"),
        ("lora = [true]", "wan.toml:1: 'lora' takes an array"),
        ("fps = \"many\"", "wan.toml:1: fps = many: The value 'many' is invalid"),
        ("[generate]\nsave-every = -1\nsave-run = \"d\"", "wan.toml:2: save-every = -1"),
        ("x =", "wan.toml:1:4: expected a value"),
        ("extend-api-key = \"sk\"", "WAN_EXTEND_API_KEY"), ("help = true", "'help' can have no default"),
        ("steps = 2\nsigmas = [1, 0.5]", "Defaults are from wan.toml:1 (steps), wan.toml:2 (sigmas)"),
        ("[generate]\nextend-prompt = \"http://x/v1\"", "wan.toml:2: 'extend-prompt' is given keys"),
        ("endpoint = \"http://x\"", "wan.toml:1: 'endpoint' is given keys"),
        ("frames = 82", "Defaults are from wan.toml:1 (frames)"),
      ])
    func refusals(_ text: String, _ reason: String) async throws {
      let folder = try folder(here: text)
      let result = try await run(clip, in: folder)
      #expect(result.status == .exited(64) && result.errors.contains(reason), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path("a.png")))
    }

    @Test("an endpoint is taken from the user's own file, and from one that is named")
    func endpoints() async throws {
      let text = "extend-prompt = \"http://127.0.0.1:1/v1\"\nextend-model = \"m\"\nextend-or-fail = true\n"
      let folder = try folder(user: text, here: "steps = 1\nframes = 1\n")
      try folder.write("named.toml", Data(text.utf8))
      for arguments in [clip, clip + ["--config", "named.toml", "--steps", "1", "--frames", "1"]] {
        let result = try await run(arguments, in: folder)
        #expect(result.status == .exited(1) && result.errors.contains("--extend-prompt: "), "\(result.errors)")
      }
    }

    @Test("a wrong file stands in the way of no help, version or listing of it")
    func help() async throws {
      let folder = try folder(here: "x =")
      for arguments in [["--help"], ["--version"], ["generate", "--help"], ["help", "generate"], []] {
        let result = try await run(arguments, in: folder, ["WAN_QUIET": "perhaps"])
        #expect(result.status.isSuccess && result.errors.isEmpty, "\(arguments): \(result.errors)")
      }
      let listing = try await run(["config"], in: folder, ["WAN_STEPS": "4"])
      #expect(listing.status == .exited(1) && listing.errors.contains("wan.toml:1:4: expected a value"))
      #expect(listing.output.contains("steps = 4  WAN_STEPS"), "\(listing.output)")
    }

    @Test("wan config tells each default, where it comes from, and which ones do not count")
    func listing() async throws {
      let folder = try folder(user: "steps = 2\n", here: "[generate]\nsigmas = [1, 0.5]\n[bench]\nrepeat = 2\n")
      let variables: [Environment.Key: String?] = ["WAN_LORA": "a=0.5\nb", "WAN_JSON": "yes", "WAN_STPES": "3"]
      let all = try await run(["config"], in: folder, variables).output
      for line in [
        "generate: sigmas = 1,0.5", "bench: repeat", "lora", "a=0.5, b",
        "WAN_STPES is no option's; the nearest is WAN_STEPS",
      ] {
        #expect(all.contains(line), "\(line) is not in \(all)")
      }
      #expect(all.contains("\(folder.path("xdg"))/wan/wan.toml:1") && all.contains("wan.toml:2"))
      let one = try #require(try await run(["config", "generate", "--json"], in: folder, variables).events().first)
      let settings = try #require(one["settings"] as? [[String: Any]])
      let told = Dictionary(uniqueKeysWithValues: settings.map { ($0["option"] as? String ?? "", $0) })
      #expect(Set(told.keys) == ["lora", "json", "sigmas", "steps"])
      #expect(
        told["lora"]?["values"] as? [String] == ["a=0.5", "b"] && told["json"]?["values"] as? [String] == ["true"])
      #expect(told["steps"]?["leftOut"] as? String == "wan.toml:2 has 'sigmas'" && told["sigmas"]?["leftOut"] == nil)
      let paths = try await run(["config", "--path"], in: folder).output
      #expect(paths == "wan.toml\n\(folder.path("xdg"))/wan/wan.toml\n")
      #expect(try await run(["config", "--no-config"], in: folder).output == "no defaults are set\n")
      #expect(try await run(["config", "generat"], in: folder).errors.contains("the nearest is 'generate'"))
    }

    @Test("a file that is none, too long, not UTF-8 or not there is refused")
    func files() async throws {
      let folder = try folder()
      try folder.write("bytes.toml", Data([0x61, 0xFF]))
      try folder.write("long.toml", Data(repeating: 0x23, count: SettingsReader.limit + 1))
      try folder.write("empty.toml", Data())
      for (name, reason) in [
        ("bytes.toml", "not UTF-8"), ("long.toml", "256 KiB"), ("none.toml", "no such file"), (".", "is no file"),
      ] {
        let result = try await run(["runs", "--config", name], in: folder)
        #expect(result.status == .exited(64) && result.errors.contains(reason), "\(name): \(result.errors)")
      }
      #expect(try await run(["runs", "--config", "empty.toml"], in: folder).status.isSuccess)
      #expect(try await run(["runs", "--config"], in: folder).status == .exited(64))
    }
  }
}
