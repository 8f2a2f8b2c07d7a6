import Foundation
import Subprocess
import Tensors
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("Good runs") struct GoodRunTests {
    /// A clip of 5 frames of 64x32 in 2 steps.
    private let short = ["generate", "-p", "-a- red ball", "--steps", "2", "--frames", "5", "--size", "64x32"]

    private func clip(_ arguments: [String], in folder: TemporaryFolder) async throws -> CommandResult {
      let result = try await wan(short + arguments, in: folder)
      #expect(result.status.isSuccess, "\(result.errors)")
      return result
    }

    private func probe(_ name: String, in folder: TemporaryFolder) async throws -> String {
      let arguments = ["-v", "error", "-count_frames", "-show_streams", "-show_format", name]
      return try await runCommand("ffprobe", arguments.map { Array($0.utf8) }, in: folder).output
    }

    @Test("every film format holds the frames, and the settings unless told not to", arguments: ["mp4", "webm", "gif"])
    func films(_ format: String) async throws {
      let folder = try TemporaryFolder()
      _ = try await clip(["-o", "a.\(format)", "--seed", "7"], in: folder)
      _ = try await clip(["-o", "b.\(format)", "--no-metadata"], in: folder)
      #expect(folder.contents == ["a.\(format)", "b.\(format)"])
      let told = try await probe("a.\(format)", in: folder)
      for part in ["width=64", "height=32", "nb_read_frames=5", "-a- red ball", "swift-wan", "ti2v-5b"] {
        #expect(told.lowercased().contains(part), "\(part) is not in \(told)")
      }
      let silent = try await probe("b.\(format)", in: folder)
      #expect(silent.contains("nb_read_frames=5") && !silent.contains("red ball") && !silent.contains("swift-wan"))
    }

    @Test("stills are one file or a numbered set, with the settings in each")
    func stills() async throws {
      let folder = try TemporaryFolder()
      _ = try await clip(["-o", "a.png", "--frames", "1"], in: folder)
      _ = try await clip(["-o", "b.png"], in: folder)
      #expect(folder.contents == ["a.png"] + (1...5).map { "b-000\($0).png" })
      for name in folder.contents {
        #expect(String(decoding: try folder.bytes(name), as: UTF8.self).contains("-a- red ball"))
      }
    }

    @Test("uncompressed clips have the size that the frames take")
    func uncompressed() async throws {
      let folder = try TemporaryFolder()
      let result = try await clip(["-o", "a.y4m"], in: folder)
      #expect(try folder.bytes("a.y4m").count > 5 * 64 * 32 * 3)
      #expect(try folder.bytes("a.y4m").starts(with: "YUV4MPEG2 W64 H32 F12:1".utf8))
      #expect(result.output.isEmpty)
      let lines = result.errorLines
      for start in ["model    ti2v-5b", "clip     64x32, 5 frames at 12 fps", "sampling 2 steps", "memory   about"] {
        #expect(lines.contains { $0.hasPrefix(start) }, "\(start) is not in \(result.errors)")
      }
      #expect(lines.contains { $0.hasPrefix("step 2/2 ") })
      #expect(lines.last?.hasPrefix("wrote a.y4m in ") == true)
      #expect(!result.errors.contains("\r") && !result.errors.contains("\u{1B}"))
    }

    @Test("events come as JSON, one a line, in order")
    func events() async throws {
      let folder = try TemporaryFolder()
      let result = try await clip(["-o", "a.y4m", "--json"], in: folder)
      #expect(result.errors.isEmpty)
      let events = try result.events()
      let names = events.compactMap { $0["event"] as? String }
      #expect(names.first == "plan" && names.last == "done" && names.count == events.count)
      #expect(names.filter { $0 == "step" }.count == 2)
      #expect(events.compactMap { $0["step"] as? Int } == [1, 2])
      let firstStep = try #require(names.firstIndex(of: "step"))
      let firstFrames = try #require(names.firstIndex(of: "frames"))
      #expect(names[..<firstStep].dropFirst().allSatisfy { $0.hasPrefix("stage") })
      #expect(firstStep < firstFrames)
      #expect(events.last { $0["event"] as? String == "frames" }?["frames"] as? Int == 5)
      #expect(events.first?["decodingTiles"] as? String == "1x1")
      try keys(events)
    }

    @Test("a clip decoded in tiles is the same picture, and tells of its tiles")
    func tiles() async throws {
      let folder = try TemporaryFolder()
      _ = try await clip(["-o", "a.y4m", "--seed", "3", "--vae-tiles", "off"], in: folder)
      let result = try await clip(["-o", "b.y4m", "--seed", "3", "--vae-tiles", "1x2", "--json"], in: folder)
      let events = try result.events()
      #expect(events.first?["decodingTiles"] as? String == "1x2")
      #expect(events.filter { $0["event"] as? String == "tiles" }.compactMap { $0["tiles"] as? Int } == [1, 2, 3, 4])
      try keys(events)
      let (whole, tiled) = (try folder.bytes("a.y4m"), try folder.bytes("b.y4m"))
      #expect(whole.count == tiled.count)
      #expect(zip(whole, tiled).allSatisfy { abs(Int($0) - Int($1)) <= 2 })
    }

    @Test("a clip with skipped steps tells of them in the plan, at each step, at the end and in its metadata")
    func skippedSteps() async throws {
      let folder = try TemporaryFolder()
      let arguments = ["-o", "a.png", "--frames", "1", "--seed", "3", "--steps", "12", "--cache", "10"]
      let events = try await clip(arguments + ["--json"], in: folder).events()
      let plan = try #require(events.first)
      #expect(plan["cache"] as? Int == 10 && plan["expectedSkips"] as? Int == 9 && plan["cacheBytes"] is Int)
      let skipped = events.filter { $0["skipped"] as? Bool == true }.compactMap { $0["step"] as? Int }
      #expect(skipped == Array(3...11))
      let skips = try #require(events.last?["skips"] as? [[String: any Sendable]])
      #expect(skips.count == 1 && skips[0]["skipped"] as? Int == 9 && skips[0]["steps"] as? Int == 12)
      let shown = try await wan(["show", "a.png"], in: folder)
      #expect(shown.output.contains("cache    10.0\n"), "\(shown.output)")
      let lines = try await clip(arguments, in: folder).errors
      #expect(lines.contains("cache    10.0: about 9 of 12 steps expected to be skipped, "), "\(lines)")
      #expect(lines.contains(" skipped, ") && lines.contains("\nskipped 9 of 12 steps\n"), "\(lines)")
      for (wrong, says) in [("-1", "--cache: -1.0 is not a threshold"), ("slow", "--cache"), ("nan", "--cache")] {
        let result = try await wan(short + ["-o", "b.png", "--cache", wrong], in: folder)
        #expect(!result.status.isSuccess && result.errors.contains(says), "\(wrong): \(result.errors)")
      }
    }

    private func keys(_ events: [[String: any Sendable]]) throws {
      let wanted = [
        "plan": [
          "model", "prompt", "negativePrompt", "fromImage", "folder", "size", "frames", "fps", "tokens", "steps",
          "shift", "guidanceLow", "guidanceHigh",
          "solver",
          "seed", "noise", "precision", "experts", "memoryBytes", "weightBytes", "machineMemoryBytes", "backend",
          "decodingMemoryBytes", "decodingTiles", "memoryLimitBytes",
          "output",
        ],
        "stage": ["stage"], "stageEnd": ["stage", "seconds"],
        "step": ["step", "steps", "expert", "timestep", "seconds", "secondsLeft"],
        "frames": ["frames", "of"], "tiles": ["tiles", "of"], "done": ["output", "seconds", "peakMemory"],
      ]
      for event in events {
        let name = try #require(event["event"] as? String)
        #expect(Set(event.keys) == Set(wanted[name] ?? []).union(["event"]))
      }
    }

    @Test("a quiet run says nothing, and names follow clip.mp4")
    func quietAndNames() async throws {
      let folder = try TemporaryFolder()
      for _ in 1...2 {
        let result = try await clip(["--quiet", "--frames", "1"], in: folder)
        #expect(result.output.isEmpty && result.errors.isEmpty)
      }
      #expect(folder.contents == ["clip-2.mp4", "clip.mp4"])
    }

    @Test("the same request gives the same bytes, on any number of threads")
    func repeatable() async throws {
      let folder = try TemporaryFolder()
      let runs = [("a", "1"), ("b", "2"), ("c", "2")]
      for (name, threads) in runs {
        let files = ["-o", "\(name).mp4", "--save-tensors", "\(name).safetensors"]
        _ = try await clip(files + ["--seed", "3", "--device", "cpu", "--threads", threads], in: folder)
      }
      for type in ["mp4", "safetensors"] {
        #expect(try folder.bytes("a.\(type)") == folder.bytes("b.\(type)"), "1 and 2 threads: \(type)")
        #expect(try folder.bytes("b.\(type)") == folder.bytes("c.\(type)"), "twice: \(type)")
      }
      try checkTensors(folder.path("a.safetensors"))
    }

    private func checkTensors(_ path: String) throws {
      let tensors = try TensorFile.read(path)
      let shapes = tensors.mapValues { $0.shape.dimensions }
      #expect(Set(shapes.keys) == ["context", "context_null", "noise", "latents", "timesteps", "sigmas", "video"])
      #expect(shapes["noise"] == [48, 2, 2, 4])
      #expect(shapes["latents"] == [2, 48, 2, 2, 4])
      #expect(shapes["timesteps"] == [2])
      #expect(shapes["sigmas"] == [3])
      #expect(shapes["video"] == [3, 5, 32, 64])
      #expect(shapes["context"]?.count == 2 && shapes["context_null"]?.count == 2)
      #expect(tensors.values.allSatisfy { $0.dtype == .f32 })
    }

    @Test("a rate may be a fraction, as a number or as it is written", arguments: ["29.97", "30000/1001"])
    func fractions(_ rate: String) async throws {
      let folder = try TemporaryFolder()
      let result = try await clip(["-o", "a.mp4", "--fps", rate], in: folder)
      #expect(result.errors.contains("5 frames at 29.97 fps"), "\(result.errors)")
      #expect(try await probe("a.mp4", in: folder).contains("r_frame_rate=30000/1001"))
    }

    @Test("a seed of -1 is a new one each time")
    func newSeeds() async throws {
      let folder = try TemporaryFolder()
      let seeds = try await [1, 2].asyncMap { number in
        let result = try await clip(["-o", "\(number).y4m", "--seed", "-1", "--json"], in: folder)
        return try result.events().first?["seed"] as? Int
      }
      #expect(seeds[0] != nil && seeds[0] != seeds[1])
    }

    @Test("without a negative prompt guidance is away from the empty text")
    func emptyNegative() async throws {
      let folder = try TemporaryFolder()
      for (name, arguments) in [("a", []), ("b", ["--no-negative-prompt"]), ("c", ["--negative-prompt", " "])] {
        _ = try await clip(
          ["-o", "\(name).y4m", "--save-tensors", "\(name).safetensors", "--seed", "1"] + arguments, in: folder)
      }
      let rows = try ["a", "b", "c"].map {
        try TensorFile.read(folder.path($0 + ".safetensors"))["context_null"]?.shape[0]
      }
      // The empty text is its end alone.
      #expect((rows[0] ?? 0) > 1 && rows[1] == 1 && rows[2] == 1)
      #expect(try folder.bytes("b.y4m") == folder.bytes("c.y4m"))
    }

    @Test("what a model does not read of a prompt is told")
    func longPrompt() async throws {
      let folder = try TemporaryFolder()
      let prompt = String(repeating: "a red ball ", count: 200) + "and a blue star"
      let result = try await clip(["-o", "a.y4m", "-p", prompt], in: folder)
      let line = try #require(result.errorLines.first { $0.hasPrefix("the prompt has ") }, "\(result.errors)")
      #expect(line.contains(" tokens and the model reads 128: its last ") && line.hasSuffix("...' on"), "\(line)")
      let short = try await clip(["-o", "b.y4m", "-p", "a red ball"], in: folder)
      #expect(!short.errors.contains("is lost") && !short.errors.contains("are lost"))
    }

    @Test("a picture begins the clip")
    func fromPicture() async throws {
      let folder = try TemporaryFolder()
      let result = try await clip(["-i", Folders.picture, "-o", "a.y4m"], in: folder)
      #expect(result.errors.contains("encoding the image"))
      let experts = ["-m", Folders.golden("i2v"), "-i", Folders.picture, "-o", "b.y4m"]
      let other = try await clip(experts, in: folder)
      #expect(other.errors.contains("model    i2v-a14b"))
      #expect(other.errors.contains("encoding the image"))
      #expect(folder.contents == ["a.y4m", "b.y4m"])
      let script = "\"$0\" \"$@\" -i - -o c.y4m < '\(Folders.picture)'"
      let arguments = ["-c", script, try BuiltCommand.path()] + short + ["--seed", "5"]
      let piped = try await runCommand("sh", arguments.map { Array($0.utf8) }, in: folder)
      #expect(piped.status.isSuccess, "\(piped.errors)")
      _ = try await clip(["-i", Folders.picture, "-o", "d.y4m", "--seed", "5"], in: folder)
      #expect(try folder.bytes("c.y4m") == folder.bytes("d.y4m"))
    }

    @Test("two experts and the switch between them are told")
    func experts() async throws {
      let folder = try TemporaryFolder()
      let result = try await clip(["-m", Folders.golden("t2v"), "-o", "a.y4m", "--steps", "8"], in: folder)
      let plan = try #require(result.errorLines.first { $0.hasPrefix("experts") })
      #expect(plan.contains("high noise 6 steps from t 999.0, then low noise 2 steps from t "))
      #expect(result.errorLines.contains { $0.hasPrefix("step 6/8") && $0.contains("high noise") })
      #expect(result.errorLines.contains { $0.hasPrefix("step 7/8") && $0.contains("low noise") })
      #expect(result.errorLines.filter { $0 == "loading the transformer" }.count == 2)
    }
  }
}

extension Sequence {
  fileprivate func asyncMap<R>(_ body: (Element) async throws -> R) async rethrows -> [R] {
    var results: [R] = []
    for element in self { results.append(try await body(element)) }
    return results
  }
}
