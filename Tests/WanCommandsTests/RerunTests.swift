import Foundation
import Media
import Sampling
import Subprocess
import TestSupport
import Testing
import WanKit

@testable import WanCommands

extension WanCommandTests {
  @Suite("Making clips again") struct RerunTests {
    /// A clip of 5 frames of 64x32.
    private let short = ["generate", "-p", "-a- red; ball = \"狐\"", "--frames", "5", "--size", "64x32"]

    private func run(_ arguments: [String], in folder: TemporaryFolder) async throws -> CommandResult {
      let result = try await wan(arguments, in: folder)
      #expect(result.status.isSuccess, "\(arguments): \(result.errors)")
      return result
    }

    @Test(
      "a clip made again has the same bytes, whatever it is written as and however it was made",
      arguments: [
        ("mp4", ["--steps", "2"]), ("webm", ["--steps", "3", "--solver", "euler", "--shift", "3.3"]),
        ("gif", ["--timesteps", "1000,750.5,400", "--solver", "lcm"]),
        ("png", ["--steps", "2", "--no-negative-prompt", "--guidance", "1.7"]),
        (
          "mp4", ["--steps", "2", "--precision", "int8", "--fps", "24000/1001", "--negative-prompt", "--grey = fog; ü"]
        ),
        ("png", ["--steps", "2", "--like", "diffusers", "--rng", "cpu"]),
        ("png", ["--timesteps", "1000,700,300", "--shift", "3", "--solver", "euler"]),
        ("png", ["--preset", "fastwan"]), ("png", ["--preset", "fastwan", "--shift", "5", "--steps", "2"]),
        ("png", ["--preset", "turbo", "--steps", "3", "--rng-card", "80x1024"]),
        (
          "png",
          [
            "--steps", "2", "--guidance", "1", "--solver", "dpm++", "--precision", "f32", "--seed",
            "18446744073709551615",
          ]
        ),
      ])
    func equal(_ format: String, _ options: [String]) async throws {
      let folder = try TemporaryFolder()
      _ = try await run(short + options + ["-o", "a.\(format)"], in: folder)
      let first = folder.contents
      let again = try await run(["rerun", first[0], "-o", "b.\(format)"], in: folder)
      for name in first {
        let other = "b" + name.dropFirst()
        #expect(try folder.bytes(name) == folder.bytes(other), "\(name), \(options)")
      }
      #expect(!again.errors.contains("another than"), "\(again.errors)")
    }

    @Test(
      "a clip that began with a picture needs it again, and has the same bytes then", arguments: ["wan", "diffusers"])
    func picture(_ profile: String) async throws {
      let folder = try TemporaryFolder()
      let start = ["generate", "-p", "a ball", "--frames", "5", "--steps", "2", "--size", "100x70", "--like", profile]
      let options = profile == "wan" ? [] : ["--size", "96x64"]
      _ = try await run(start + options + ["-i", Folders.picture, "-o", "a.mp4"], in: folder)
      let refused = try await wan(["rerun", "a.mp4", "-o", "b.mp4"], in: folder)
      #expect(refused.status == .exited(1) && refused.errors.contains("give it with --image"), "\(refused.errors)")
      _ = try await run(["rerun", "a.mp4", "--image", Folders.picture, "-o", "b.mp4"], in: folder)
      #expect(try folder.bytes("a.mp4") == folder.bytes("b.mp4"))
    }

    @Test("a model of two experts is found by its family, and split as the clip was", arguments: ["t2v", "i2v"])
    func experts(_ name: String) async throws {
      let folder = try TemporaryFolder()
      let picture = name == "i2v" ? ["-i", Folders.picture] : []
      let options = ["-m", Folders.golden(name), "--guidance", "3,4.5", "--steps", "3+1", "-o", "a.png"]
      _ = try await run(short + picture + options, in: folder)
      func again(_ models: [String], _ more: [String] = []) async throws -> CommandResult {
        let environment = Environment.hermetic.updating([
          "WAN_MODELS": models.joined(separator: ":"), "HF_HUB_CACHE": folder.path("none"),
        ])
        return try await wan(
          ["rerun", "a-0001.png", "-o", "b.png"] + picture + more, in: folder, environment: environment)
      }
      let others = [Folders.golden("ti2v"), Folders.golden(name == "t2v" ? "i2v" : "t2v")]
      let lost = try await again(others)
      #expect(lost.status == .exited(1) && lost.errors.contains("none is in the hub's cache"), "\(lost.errors)")
      try folder.link(model: Folders.golden(name), as: "twin")
      let unclear = try await again([Folders.golden(name), folder.path("twin")])
      #expect(unclear.status == .exited(1) && unclear.errors.contains("one of these models"), "\(unclear.errors)")
      let found = try await again(others + [Folders.golden(name)])
      #expect(found.status.isSuccess && found.errors.contains("3 steps"), "\(found.errors)")
      for i in 1...5 { #expect(try folder.bytes("a-000\(i).png") == folder.bytes("b-000\(i).png")) }
    }

    @Test("a clip that a tiny autoencoder decoded is decoded by one again, or says that there is none")
    func tinyDecoder() async throws {
      let folder = try TemporaryFolder()
      _ = try await run(["synthesize", "taew2_2", "taew2_2.safetensors"], in: folder)
      let tiny = short + ["--steps", "1", "--vae", "taew2_2.safetensors", "-o", "a.png"]
      _ = try await run(tiny, in: folder)
      let environment = Environment.hermetic.updating(["WAN_MODELS": folder.path])
      let again = try await wan(["rerun", "a-0001.png", "-o", "b.png"], in: folder, environment: environment)
      #expect(again.status.isSuccess, "\(again.errors)")
      for i in 1...5 { #expect(try folder.bytes("a-000\(i).png") == folder.bytes("b-000\(i).png")) }
      let lost = try await wan(
        ["rerun", "a-0001.png", "-o", "c.png"], in: folder, environment: .hermetic.updating(["WAN_MODELS": nil]))
      #expect(lost.status == .exited(1) && lost.errors.contains("taew2_2.safetensors or .pth"), "\(lost.errors)")
    }

    @Test("options that follow say something else than the clip")
    func options() async throws {
      let folder = try TemporaryFolder()
      _ = try await run(
        short + ["--timesteps", "1000,500", "--solver", "euler", "--seed", "1", "-o", "a.gif"], in: folder)
      for (options, key, value) in [
        (["--seed", "2"], "seed", "2"), (["--steps=3"], "steps", "3"),
        (["-p", "other words"], "prompt", "other words"),
        (["--no-negative-prompt"], "negativePrompt", " "), (["--negative-prompt", "x"], "negativePrompt", "x"),
        (["--timesteps", "900,400,200"], "timesteps", "[900, 400, 200]"), (["--fps", "8"], "fps", "8"),
        (["--precision", "int8"], "precision", "int8"), (["--preset", "fastwan"], "solver", "lcm"),
      ] {
        let result = try await run(["rerun", "a.gif"] + options + ["-o", "b.gif", "--json"], in: folder)
        let plan = try #require(try result.events().first)
        #expect(plan["event"] as? String == "plan")
        let words = "\(plan[key] ?? "")".split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(
          words.replacing("( ", with: "[").contains(value) || plan[key] as? String == value, "\(options): \(words)")
        #expect(try folder.bytes("a.gif") != folder.bytes("b.gif"), "\(options)")
      }
    }

    @Test("what cannot be made again is told, and why")
    func refusals() async throws {
      let folder = try TemporaryFolder()
      _ = try await run(short + ["--steps", "1", "-o", "a.mp4"], in: folder)
      _ = try await run(short + ["--steps", "1", "--no-metadata", "-o", "silent.mp4"], in: folder)
      try folder.write("text.mp4", Array("text".utf8))
      for (arguments, words, status) in [
        (["silent.mp4"], "tells nothing of its making", 1), (["none.mp4"], "cannot be opened", 1),
        (["text.mp4"], "text.mp4", 1), (["a.mp4", "--sed", "3"], "--sed", 64),
        (["a.mp4", "-o", "a.mp4"], "would be replaced", 1),
        (["--seed", "3", "a.mp4"], "--seed", 64), ([], "clip", 64), (["a.mp4", "--steps", "0"], "--steps", 64),
        (["a.mp4", "--lora", "none.safetensors"], "none.safetensors", 1),
        (["a.mp4", "--vae", "tiny"], "tiny", 1), (["a.mp4", "--model", "none"], "none", 1),
      ] {
        let result = try await wan(["rerun"] + arguments, in: folder)
        #expect(result.status == .exited(CInt(status)), "\(arguments): \(result.errors)")
        #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
      }
      #expect(folder.contents == ["a.mp4", "silent.mp4", "text.mp4"])
    }

    @Test("help is that of the command, wherever it is asked for")
    func help() async throws {
      let folder = try TemporaryFolder()
      let help = try await run(["rerun", "--help"], in: folder).output
      #expect(help.contains("wan rerun <clip>"))
      #expect(try await run(["rerun", "a.mp4", "--seed", "1", "--help"], in: folder).output == help)
    }

    @Test("a list of timesteps comes back from under the shift that warped it")
    func timesteps() throws {
      var random = SeededGenerator(seed: 3)
      for round in 0..<3000 {
        let shift = [5, 1, 3, 8, 0.5, 12].randomElement(using: &random).map { round % 2 == 0 ? $0 : $0 + 0.37 } ?? 1
        let given = Set(
          (0..<5).map { _ in
            let value = Float.random(in: 1...1000, using: &random)
            return round % 3 == 0 ? value : value.rounded()
          }
        ).sorted(by: >)
        guard let schedule = try? Schedule(timesteps: given, shift: shift) else { continue }
        let found = RecipeArguments.unwarped(schedule.timesteps, shift: shift)
        #expect(try Schedule(timesteps: found, shift: shift).timesteps == schedule.timesteps, "\(given) by \(shift)")
        if round % 3 > 0 {
          #expect(try Schedule(timesteps: found, shift: shift).sigmas == schedule.sigmas, "\(given) by \(shift)")
        }
      }
    }

    @Test("a rate comes back as the fraction that it was")
    func rates() {
      for (numerator, denominator) in [
        (24, 1), (24000, 1001), (30000, 1001), (25, 2), (7, 3), (2997, 100), (16, 1), (1, 1), (239, 1), (100, 99),
      ] {
        let rate = FrameRate(numerator, over: denominator)
        #expect(FrameRate(exactly: rate.value) == rate)
      }
      for none in [0, -1, Double.nan, .infinity, 1e300] {
        // What is no rate ends as one that a plan refuses.
        #expect(!(1...240).contains(FrameRate(exactly: none).value))
      }
    }

    @Test("LoRAs come back with strength and expert")
    func adapters() throws {
      for adapter in [
        AdapterRequest(path: "a/b.safetensors", strength: 0.8, expert: .high),
        AdapterRequest(path: "odd=name:x.safetensors", strength: -1.5, expert: nil),
        AdapterRequest(path: "c.safetensors", strength: 1e-7, expert: .low),
      ] {
        #expect(LoRAArgument(argument: RecipeArguments.text(of: adapter))?.request == adapter)
      }
    }

    /// A picture whose recipe is another, put where the first one stands.
    private func changed(_ from: String, _ to: String, in folder: TemporaryFolder) async throws -> CommandResult {
      let told = try await run(["show", "a.png", "--json"], in: folder).output
      try #require(told.contains(from))
      var bytes = try folder.bytes("plain.png")
      let text =
        Array("Comment\0\0\0\0\0".utf8) + Array(told.trimmingCharacters(in: .newlines).replacing(from, with: to).utf8)
      bytes.insert(contentsOf: PNGChunk.bytes("iTXt", text), at: bytes.count - 12)
      try folder.write("changed.png", bytes)
      return try await wan(["rerun", "changed.png", "-o", "b.png"], in: folder)
    }

    @Test("a recipe of another version, family or with lost files is told")
    func recipes() async throws {
      let folder = try TemporaryFolder()
      let still = short + ["--frames", "1", "--steps", "1"]
      _ = try await run(still + ["-o", "a.png"], in: folder)
      _ = try await run(still + ["-o", "plain.png", "--no-metadata"], in: folder)
      let version = try await changed("swift-wan 0", "swift-wan 9", in: folder)
      #expect(version.status.isSuccess && version.errors.contains("made by swift-wan 9"), "\(version.errors)")
      let family = try await changed("ti2v-5b", "t2v-a14b", in: folder)
      #expect(family.status == .exited(1) && family.errors.contains("wan pull t2v-a14b"), "\(family.errors)")
      let adapter = #"{"adapters":[{"path":"lost.safetensors","strength":1}],"#
      let lost = try await changed("{", adapter, in: folder)
      #expect(lost.status == .exited(1) && lost.errors.contains("'lost.safetensors' is not there"), "\(lost.errors)")
      let damaged = try await changed(#""steps":1"#, #""steps":-1"#, in: folder)
      #expect(!damaged.status.isSuccess && damaged.errors.contains("--steps"), "\(damaged.errors)")
      let none = try await changed("{", "[", in: folder)
      #expect(none.status == .exited(1) && none.errors.contains("no recipe of wan's"), "\(none.errors)")
    }
  }
}

/// A chunk of a PNG file.
private enum PNGChunk {
  static func bytes(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + content
    return bigEndian(UInt32(content.count)) + body + bigEndian(checksum(body))
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
