import Foundation
import Subprocess
import TestSupport
import Testing

@testable import WanCommands

extension WanCommandTests {
  @Suite("Many clips") struct BatchTests {
    private let folder: TemporaryFolder
    /// Clips of 5 frames of 64x32 and 2 steps.
    private let short = ["generate", "--size", "64x32", "--frames", "5", "--steps", "2"]

    init() throws { folder = try TemporaryFolder() }

    private func clips(_ name: String = "clips") throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.path(name)).sorted()
    }

    private func run(_ arguments: [String]) async throws -> CommandResult {
      let result = try await wan(arguments, in: folder)
      #expect(result.status.isSuccess, "\(arguments): \(result.errors)")
      return result
    }

    @Test("a line of a file is a clip, with the bytes that it has alone; parts of the model are loaded once")
    func lines() async throws {
      try folder.write("prompts.txt", "\u{FEFF}# two clips\r\na red ball\r\n\r\n  a blue star  \r\n".utf8)
      let result = try await run(short + ["--prompts", "prompts.txt", "--seed", "5", "--json"])
      #expect(try clips() == ["0001.mp4", "0002.mp4", "wan-batch.json"])
      for (prompt, seed, clip) in [("a red ball", "5", "0001"), ("a blue star", "6", "0002")] {
        _ = try await run(short + ["-p", prompt, "--seed", seed, "-o", "\(clip).mp4"])
        #expect(try folder.bytes("clips/\(clip).mp4") == folder.bytes("\(clip).mp4"))
      }
      let events = try result.events()
      #expect(events.first?["event"] as? String == "batch" && events.first?["clips"] as? Int == 2)
      #expect(events.last?["event"] as? String == "batchDone" && events.last?["made"] as? Int == 2)
      let steps = events.filter { $0["event"] as? String == "step" }
      #expect(steps.compactMap { $0["clip"] as? Int } == [1, 1, 2, 2])
      for stage in ["loadingTextEncoder", "loadingTransformer", "loadingDecoder"] {
        #expect(events.count { $0["event"] as? String == "stage" && $0["stage"] as? String == stage } == 1, "\(stage)")
      }
    }

    @Test("lines of JSON are requests, with files for pictures and names for clips, over the command's options")
    func json() async throws {
      try FileManager.default.createDirectory(atPath: folder.path("in"), withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: Folders.picture, toPath: folder.path("in/first.png"))
      let lines = [
        #"{"prompt": "a red ball", "output": "ball", "steps": 3, "seed": 18446744073709551615}"#,
        #"{"image": "first.png", "output": "square.webm", "cinematography": {"tone": "warm"}}"#,
      ]
      try folder.write("in/a.jsonl", lines.joined(separator: "\n").utf8)
      _ = try await run(short + ["--prompts", "in/a.jsonl", "-p", "a square", "--seed", "2", "-o", "out/{}.y4m", "-q"])
      #expect(try clips("out") == ["ball.y4m", "square.webm", "wan-batch.json"])
      _ = try await run(
        short.dropLast() + ["3", "-p", "a red ball", "--seed", "18446744073709551615", "-o", "a.y4m"])
      _ = try await run(
        short + ["-p", "a square", "--tone", "warm", "-i", "in/first.png", "--seed", "3", "-o", "b.webm"])
      #expect(try folder.bytes("out/ball.y4m") == folder.bytes("a.y4m"))
      #expect(try folder.bytes("out/square.webm") == folder.bytes("b.webm"))
    }

    @Test("a folder of pictures is a clip for each, by the names of the pictures; a second start makes nothing")
    func pictures() async throws {
      try FileManager.default.createDirectory(atPath: folder.path("in"), withIntermediateDirectories: true)
      for name in ["b10.png", "b2.png"] {
        try FileManager.default.copyItem(atPath: Folders.picture, toPath: folder.path("in/" + name))
      }
      try folder.write("in/notes.txt", "none".utf8)
      // No seed: the ones that were drawn are kept.
      let arguments = short + ["--image", "in", "-p", "a square", "-o", "out/"]
      let first = try await run(arguments)
      #expect(first.errorLines.contains("clip 1 of 2: out/b2.mp4"), "\(first.errors)")
      #expect(try clips("out") == ["b10.mp4", "b2.mp4", "wan-batch.json"])
      let before = try folder.bytes("out/b2.mp4")
      #expect(try before != folder.bytes("out/b10.mp4"))
      let second = try await run(arguments)
      #expect(second.errorLines.contains("clip 2 of 2: out/b10.mp4 is finished"), "\(second.errors)")
      #expect(!second.errors.contains("step 1/"), "\(second.errors)")
      // One that is gone is made again, with the same seed.
      try FileManager.default.removeItem(atPath: folder.path("out/b2.mp4"))
      #expect(try await run(arguments).errors.contains("made 1 clip"))
      #expect(try folder.bytes("out/b2.mp4") == before)
    }

    @Test("all lines that are wrong are told before any clip is begun")
    func wrong() async throws {
      let lines = [
        #"{"prompt": "a", "stepz": 3}"#, #"{"prompt": "fine"}"#, #"{"prompt": "a", "frames": 6}"#, #"{"prompt": "a""#,
        #"{"steps": 3}"#, #"{"prompt": "a", "size": "big"}"#, #"{"prompt": "a", "image": "none.png"}"#,
        #"{"prompt": "a", "output": "x"}"#, #"{"prompt": "b", "output": "X.mp4"}"#,
        #"{"prompt": "a", "output": "../x"}"#,
        #"{"prompt": "a", "steps": 2, "steps": 3}"#, #"{"prompt": "a", "seed": -1}"#, #"["a"]"#, #"{"prompt": null}"#,
      ]
      func told(_ lines: [String]) async throws -> String {
        try folder.write("a.jsonl", lines.joined(separator: "\n").utf8)
        let result = try await wan(short + ["--prompts", "a.jsonl"], in: folder)
        #expect(result.status == .exited(64), "\(result.errors)")
        #expect(folder.contents == ["a.jsonl"])
        return result.errors
      }
      // What is no request at all comes first, then what cannot be made.
      var errors = try await told(lines)
      for part in [
        "a.jsonl:1: \"stepz\" is no field of a request; did you mean \"steps\"?", "a.jsonl:4: is no JSON object",
        "a.jsonl:5: has no \"prompt\", and no --prompt is given (and 1 more with the same)",
        "a.jsonl:11: is no JSON object, at its byte", "a.jsonl:13: is no JSON object",
      ] { #expect(errors.contains(part), "'\(part)' is not in \(errors)") }
      errors = try await told([1, 2, 5, 6, 7, 8, 9, 11].map { lines[$0] })
      for part in [
        "a.jsonl:2: frames: 6 is not 4 n + 1", "a.jsonl:3: size: 'big' is not a size",
        "a.jsonl:4: cannot read an image from 'none.png'",
        "a.jsonl:6: 'clips/X.mp4' is the clip of a.jsonl:5 too", "a.jsonl:7: \"../x\" is no name",
        "a.jsonl:8: seed: the number is out of range", "no clip was begun",
      ] { #expect(errors.contains(part), "'\(part)' is not in \(errors)") }
    }

    @Test("files with any bytes in them are requests, or are refused with the lines that are wrong")
    func damaged() throws {
      let sound =
        #"{"prompt": "a \u00e9 ball", "image": "a.png", "output": "x", "steps": 3, "fps": "24/1"}"# + "\n# b\n"
      var random = SeededGenerator(seed: 7)
      var refused = 0
      for _ in 0..<500 {
        let bytes = mutated(Array((sound + sound).utf8), telling: Array("{}[]\":,\\#\n\u{FEFF}".utf8), using: &random)
        let path = try folder.write("a.jsonl", bytes)
        do { _ = try BatchSource.file(path).entries(hasPrompt: false) } catch {
          #expect("\(error)".contains("a.jsonl"), "\(error)")
          refused += 1
        }
      }
      #expect((50...499).contains(refused))
    }

    @Test("options that are for one clip are refused")
    func options() async throws {
      try folder.write("a.txt", "a ball\na star\n".utf8)
      try folder.write("empty.txt", "# nothing\n".utf8)
      for (options, part) in [
        (["--prompts", "a.txt", "--save-run", "r"], "--save-run keeps one run"),
        (["--prompts", "a.txt", "-o", "-"], "--output - writes one clip"),
        (["--prompts", "a.txt", "-o", "a.mp4"], "is one file"),
        (["--prompts", "a.txt", "-o", "{}{}.mp4"], "{} stands for"), (["--prompts", "none.txt"], "none.txt"),
        (["--prompts", "empty.txt"], "holds no prompts"), (["--image", "."], "Missing expected argument"),
        (["--prompts", "a.txt", "--image", "."], "give one of them"),
        (["--prompts", "a.txt", "--steps", "0"], "a.txt:1: --steps: "),
        (["--prompts", "a.txt", "--steps", "0"], "(and 1 more with the same)"),
        (["--prompts", "a.txt", "--extend-prompt", "http://x", "--extend-model", "m"], "--extend-prompt writes"),
      ] {
        let result = try await wan(["generate"] + options, in: folder)
        #expect(!result.status.isSuccess && result.errors.contains(part), "\(options): \(result.errors)")
        #expect(folder.contents == ["a.txt", "empty.txt"])
      }
    }

    @Test("a clip that fails is told at the end, and the others are made; what is asked for otherwise is not replaced")
    func failing() async throws {
      let lines = ["a red ball", "a star", "a square"].map { "{\"prompt\": \"\($0)\"}" }
      let broken = [lines[0], "{\"prompt\": \"a star\", \"guidance\": 1e38}", lines[2]]
      try folder.write("a.jsonl", broken.joined(separator: "\n").utf8)
      let arguments = short + ["--prompts", "a.jsonl", "--seed", "1", "-o", "{}.y4m", "--quiet"]
      let failed = try await wan(arguments, in: folder)
      #expect(failed.status == .exited(1), "\(failed.errors)")
      #expect(failed.errors.contains("1 clip failed:\n  a.jsonl:2, 0002.y4m: "), "\(failed.errors)")
      #expect(folder.contents == ["0001.y4m", "0003.y4m", "a.jsonl", "wan-batch.json"])
      let first = try folder.bytes("0001.y4m")
      try folder.write("a.jsonl", lines.joined(separator: "\n").utf8)
      _ = try await run(arguments)
      _ = try await run(short + ["-p", "a star", "--seed", "2", "-o", "alone.y4m"])
      #expect(try folder.bytes("0002.y4m") == folder.bytes("alone.y4m"))
      #expect(try folder.bytes("0001.y4m") == first)
      let other = try await wan(arguments + ["--shift", "3"], in: folder)
      #expect(other.status == .exited(64), "\(other.errors)")
      #expect(other.errors.contains("0001.y4m' is there, and was asked for otherwise"), "\(other.errors)")
      #expect(other.errors.contains("shift: "), "\(other.errors)")
      #expect(try folder.bytes("0001.y4m") == first)
    }

    @Test("a start that is killed or stopped leaves what is finished, and the next one makes the rest")
    func killed() async throws {
      try folder.write("a.txt", "a red ball\na star\na square\n".utf8)
      let arguments = [
        "generate", "--prompts", "a.txt", "--frames", "9", "--steps", "150", "--size", "96x64", "--seed", "1", "-o",
        "out/{}.y4m",
      ]
      let kill = try await signalled(arguments, .kill, after: "clip 2 of 3", milliseconds: 40)
      #expect(kill.status == .signaled(SIGKILL), "\(kill.told)")
      #expect(try clips("out").filter { !$0.hasPrefix(".") } == ["0001.y4m", "wan-batch.json"])
      let stop = try await signalled(arguments, .interrupt, after: "clip 2 of 3: out/0002.y4m\n", milliseconds: 40)
      #expect(stop.status == .exited(130), "\(stop.told)")
      #expect(stop.told.contains("clip 1 of 3: out/0001.y4m is finished"), "\(stop.told)")
      #expect(stop.told.contains("stopped; 1 of 3 clips are in 'out'"), "\(stop.told)")
      #expect(try clips("out") == ["0001.y4m", "wan-batch.json"])
      let rest = try await run(arguments)
      #expect(rest.errors.contains("made 2 clips") && rest.errors.contains("1 finished before"), "\(rest.errors)")
      let whole = arguments.dropLast() + ["whole/{}.y4m"]
      _ = try await run(Array(whole))
      for name in ["0001.y4m", "0002.y4m", "0003.y4m"] {
        #expect(try folder.bytes("out/" + name) == folder.bytes("whole/" + name))
      }
    }

    @Test("of two starts at once in one folder the second is refused, and the first goes on")
    func atOnce() async throws {
      try folder.write("a.txt", "a red ball\na star\n".utf8)
      let arguments = short + ["--prompts", "a.txt", "--seed", "1"]
      async let first = wan(arguments, in: folder)
      async let second = wan(arguments, in: folder)
      let results = try await [first, second]
      #expect(results.contains { $0.status.isSuccess })
      for result in results where !result.status.isSuccess {
        #expect(result.errors.contains("another wan makes clips in 'clips' now"), "\(result.errors)")
      }
      #expect(try clips() == ["0001.mp4", "0002.mp4", "wan-batch.json"])
    }

    /// Runs a command, and sends it a signal so long after it has said something.
    private func signalled(
      _ arguments: [String], _ signal: Signal, after line: String, milliseconds: Int
    ) async throws -> (status: TerminationStatus, told: String) {
      let settings = try await configuration(BuiltCommand.path(), arguments.map { Array($0.utf8) }, in: folder)
      let result = try await Subprocess.run(settings, input: .none, output: .discarded, error: .sequence) { execution in
        var (told, isSent) = ("", false)
        for try await buffer in execution.standardError {
          // SAFETY: the bytes are copied before the closure ends.
          told += String(decoding: unsafe buffer.withUnsafeBytes { unsafe Array($0) }, as: UTF8.self)
          guard !isSent, told.contains(line) else { continue }
          try await Task.sleep(for: .milliseconds(milliseconds))
          isSent = true
          try execution.send(signal: signal)
        }
        return told
      }
      return (result.terminationStatus, result.closureResult)
    }
  }
}
