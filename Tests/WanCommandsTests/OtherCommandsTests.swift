import Foundation
import Subprocess
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("inspect, convert, bench, synthesize") struct OtherCommandsTests {
    private func run(_ arguments: String...) async throws -> (result: CommandResult, left: [String]) {
      let folder = try TemporaryFolder()
      return (try await wan(arguments, in: folder), folder.contents)
    }

    private func fails(_ code: Int32, _ arguments: [String], says: String...) async throws {
      let folder = try TemporaryFolder()
      let result = try await wan(arguments, in: folder)
      #expect(result.status == .exited(code), "\(arguments): \(result.errors)")
      #expect(result.errors.hasPrefix("Error: "), "\(arguments): \(result.errors)")
      for part in says { #expect(result.errors.contains(part), "\(arguments): \(part) is not in \(result.errors)") }
      #expect(folder.contents.isEmpty)
    }

    @Test(
      "inspect names every model",
      arguments: [
        (Folders.nano, "ti2v-5b", 3), (Folders.golden("ti2v"), "ti2v-5b", 3), (Folders.golden("t2v"), "t2v-a14b", 4),
        (Folders.golden("i2v"), "i2v-a14b", 4),
      ])
    func models(_ path: String, _ name: String, _ networks: Int) async throws {
      let (result, left) = try await run("inspect", path)
      #expect(result.status.isSuccess && left.isEmpty)
      #expect(result.output.hasPrefix("\(path): \(name), "), "\(result.output)")
      #expect(result.outputLines.count == 2 + networks, "\(result.output)")
      #expect(result.outputLines.last == "  use it with: wan generate --model \(path) ...")
      let report = try #require(try await run("inspect", path, "--json").result.events().first)
      #expect((report["networks"] as? [Any])?.count == networks)
      #expect(Set(report.keys) == ["path", "summary", "networks", "problems", "missing", "usage"])
    }

    @Test("inspect names single checkpoints")
    func files() async throws {
      for (file, kind) in [
        ("diffusion_pytorch_model.safetensors", "transformer"), ("Wan2.2_VAE.pth", "autoencoder"),
        ("models_t5_umt5-xxl-enc-bf16.pth", "text encoder"),
      ] {
        let (result, _) = try await run("inspect", Folders.nano + "/" + file)
        #expect(result.status.isSuccess, "\(result.errors)")
        #expect(result.output.contains("a single checkpoint\n  \(kind)"), "\(result.output)")
      }
    }

    @Test("inspect tells what a folder lacks and what a file is not")
    func incomplete() async throws {
      let files = try BadFiles().folder
      let result = try await wan(["inspect", files.path("no-vae")], in: TemporaryFolder())
      #expect(result.status == .exited(1))
      #expect(result.output.contains("not a complete model") && result.output.contains("Wan2.2_VAE"))
      #expect(result.output.contains("safetensors, transformer, of ti2v-5b by its channels: dim 256"))
      try await fails(1, ["inspect", files.path("text.png")], says: "text.png", "neither a safetensors file")
      try await fails(1, ["inspect", files.path("empty.png")], says: "empty.png", "is empty")
      try await fails(1, ["inspect", files.path("empty")], says: "/empty", "found nothing")
      try await fails(1, ["inspect", "/nowhere"], says: "/nowhere", "no such file or folder")
      try await fails(64, ["inspect"], says: "<path>")
      withExtendedLifetime(files) {}
    }

    @Test("inspect ends with status 1 for what it does not know, and says the same in JSON")
    func unknown() async throws {
      let folder = try TemporaryFolder()
      let header = #"{"x.lora_A.weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
      try folder.write("lora.safetensors", [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + header.utf8 + [7])
      let other = header.replacing("lora_A.", with: "")
      try folder.write("other.safetensors", [UInt8(other.utf8.count), 0, 0, 0, 0, 0, 0, 0] + other.utf8 + [7])
      for (name, says) in [
        ("lora", "it is an adapter of another model"), ("other", "no network of Wan2.2 by its tensors'"),
      ] {
        let result = try await wan(["inspect", folder.path("\(name).safetensors")], in: TemporaryFolder())
        #expect(result.status == .exited(1) && result.output.contains(says), "\(result.output)")
        let json = try await wan(["inspect", folder.path("\(name).safetensors"), "--json"], in: TemporaryFolder())
        let networks = try #require(json.events().first?["networks"] as? [[String: Any]])
        let problems = try #require(networks.first?["problems"] as? [String])
        #expect(json.status == .exited(1) && problems.contains { $0.contains(says) }, "\(problems)")
      }
    }

    @Test("inspect reports in JSON, too, what it cannot open")
    func unreadable() async throws {
      let folder = try TemporaryFolder()
      try folder.write("x.gguf", "GGUF\u{9}\0\0\0".utf8)
      for (path, says) in [
        (folder.path("x.gguf"), "this is version 9 of GGUF"), ("/nowhere", "no such file or folder"),
      ] {
        let result = try await wan(["inspect", path, "--json"], in: TemporaryFolder())
        let problems = try #require(result.events().first?["problems"] as? [String])
        #expect(result.status == .exited(1) && problems.count == 1 && problems[0].contains(says), "\(problems)")
        #expect(result.errors.hasPrefix("Error: ") && result.errors.contains(says))
      }
    }

    @Test("inspect and generate say the same of a pointer, a part of a download and a folder around the model")
    func misleading() async throws {
      let folder = try TemporaryFolder()
      try folder.link(model: Folders.nano, as: "around/model", without: ["config.json"])
      try folder.write("around/model/config.json", "version https://git-lfs.github.com/spec/v1\nsize 200\n".utf8)
      try folder.link(model: Folders.nano, as: "part", without: ["Wan2.2_VAE.pth"])
      try folder.write("part/Wan2.2_VAE.pth.aria2", [1])
      for (name, says) in [
        ("around/model", "config.json: this is a pointer of git-lfs, not the file itself, which has 200 bytes"),
        ("around", "this is the folder around a model's; give the model's own: \(folder.path("around/model"))"),
        ("part", "'Wan2.2_VAE.pth.aria2' is an unfinished download"),
      ] {
        let inspect = try await wan(["inspect", folder.path(name)], in: TemporaryFolder())
        #expect(inspect.status == .exited(1) && (inspect.output + inspect.errors).contains(says), "\(inspect.output)")
        let generate = try await wan(["generate", "-p", "a", "--model", folder.path(name)], in: TemporaryFolder())
        #expect(generate.status == .exited(1) && generate.errors.contains(says), "\(generate.errors)")
      }
    }

    @Test("bench prints one JSON object with the keys of its part")
    func bench() async throws {
      let common: Set = ["part", "dtype", "threads", "backend", "seconds", "gflops", "peak_rss_gib"]
      let gemm = try await run("bench", "gemm", "--m", "8", "--k", "32", "--n", "16", "--repeat", "1", "--json").result
      let first = try #require(gemm.events().first)
      #expect(Set(first.keys) == common.union(["m", "k", "n", "weights"]))
      #expect(first["weights"] as? String == "bf16")
      let blocks = ["bench", "gemm", "--m", "8", "--n", "16", "--format", "q4_k", "--repeat", "1", "--json"]
      let coded = try #require(try await wan(blocks + ["--k", "256"], in: TemporaryFolder()).events().first)
      #expect(coded["weights"] as? String == "q4_k")
      let cut = try await wan(blocks + ["--k", "300"], in: TemporaryFolder())
      #expect(cut.status == .exited(64) && cut.errors.contains("blocks of 256"))
      #expect(first["m"] as? Int == 8 && first["part"] as? String == "gemm")
      let attention = try await run(
        "bench", "attention", "--tokens", "32", "--heads", "2", "--repeat", "1", "--precision", "f32", "--json"
      ).result
      let second = try #require(attention.events().first)
      #expect(Set(second.keys) == common.union(["tokens", "heads"]))
      #expect(second["dtype"] as? String == "f32" && gemm.outputLines.count == 1)
    }

    @Test("bench start times the loading of a folder and its first pass")
    func benchStart() async throws {
      let result = try await run("bench", "start", "--model", Folders.nano, "--latent", "1x4x4", "--json").result
      let report = try #require(result.events().first, "\(result.errors)")
      let start = try #require(report["seconds"] as? Double)
      let load = try #require(report["load_seconds"] as? Double)
      #expect(0 < load && load <= start && start < 60)
      #expect((report["pass_seconds"] as? Double ?? 0) > 0 && report["model"] as? String == "ti2v-5b")
      #expect(report["weights_gib"] is Double && report["tokens"] as? Int == 4)
    }

    @Test("bench clip tells each stage's seconds and share, and how near the whole is to what the processor can do")
    func benchClip() async throws {
      let options = ["bench", "clip", "--size", "64x64", "--frames", "5", "--layers", "2", "--prompt-tokens", "4"]
      let result = try await wan(options + ["--json"], in: TemporaryFolder())
      let report = try #require(result.events().first)
      let keys: Set = [
        "part", "model", "size", "frames", "steps", "tokens", "layers", "dtype", "seconds", "least_seconds", "factor",
        "stages", "threads", "backend", "peak_rss_gib",
      ]
      #expect(Set(report.keys) == keys && report["tokens"] as? Int == 8 && report["steps"] as? Int == 3)
      let stages = try #require(report["stages"] as? [[String: Any]])
      #expect(stages.compactMap { $0["name"] as? String } == ["text", "denoising", "decoding", "writing"])
      let share = stages.compactMap { $0["share"] as? Double }.reduce(0, +)
      #expect(abs(share - 1) < 1e-6)
      // Told from two short passes, the seconds may be anything; the limit is counted.
      let least = stages.compactMap { $0["least_seconds"] as? Double }
      #expect(least.count == 2 && least.allSatisfy { $0 > 0 && $0 < 60 })
    }

    @Test("bench refuses what it cannot measure")
    func badBench() async throws {
      try await fails(64, ["bench", "nothing"], says: "nothing")
      try await fails(64, ["bench", "gemm", "--warm-up", "-1"], says: "--warm-up")
      try await fails(64, ["bench", "gemm", "--m", "0"], says: "--m", "wan bench gemm")
      try await fails(64, ["bench", "attention", "--tokens", "0"], says: "--tokens", "wan bench attention")
      try await fails(64, ["bench", "transformer", "--model", "nano"], says: "'nano'", "ti2v-5b")
      try await fails(64, ["bench", "clip", "--model", "i2v-a14b"], says: "i2v-a14b", "picture")
      try await fails(64, ["bench", "clip", "--size", "830x480"], says: "830x480", "multiples of 32")
      try await fails(64, ["bench", "clip", "--size", "9223372036854775776x32"], says: "up to 8192")
      try await fails(64, ["bench", "clip", "--frames", "120"], says: "--frames 120", "multiple of 4")
      try await fails(64, ["bench", "clip", "--steps", "0"], says: "--steps 0")
      try await fails(64, ["bench", "clip", "--layers", "1"], says: "--layers 1", "2 to 30")
      try await fails(64, ["bench", "clip", "--prompt-tokens", "600"], says: "--prompt-tokens 600")
      try await fails(64, ["bench", "transformer", "--layers", "99"], says: "--layers 99", "1 to 30")
      try await fails(64, ["bench", "transformer", "--scale", "--layers", "1"], says: "--layers 1", "2 to 30")
      try await fails(64, ["bench", "vae", "--vae", "2.0"], says: "--vae '2.0'", "2.1 nor 2.2")
      try await fails(64, ["bench", "vae", "--tiny", "--only", "encode"], says: "--tiny decodes")
      try await fails(64, ["bench", "vae", "--latent", "5x5"], says: "--latent", "TxHxW")
      try await fails(64, ["bench", "start"], says: "--model", "wan bench start")
      try await fails(1, ["bench", "start", "--model", "/nowhere"], says: "/nowhere", "no such model folder")
      try await fails(64, ["bench", "text", "--layers", "1"], says: "--layers 1", "2 to 24")
      try await fails(64, ["bench", "text", "--tokens", "513"], says: "--tokens 513")
      try await fails(64, ["bench", "gemm", "--repeat", "0"], says: "--repeat 0")
      try await fails(64, ["bench", "gemm", "--device", "abacus"], says: "--device 'abacus'", "auto, cpu (available)")
    }

    @Test("synthesize refuses unknown models and folders in use")
    func synthesize() async throws {
      let full = try TemporaryFolder()
      try full.write("notes.txt", "mine".utf8)
      try await fails(64, ["synthesize", "wan3", "new"], says: "'wan3'", "t2v-a14b", "wan synthesize")
      try await fails(1, ["synthesize", "ti2v-5b", full.url.path], says: full.url.path, "not empty")
      try await fails(1, ["synthesize", "ti2v-5b", full.path("notes.txt")], says: "notes.txt", "a file has this name")
      try await fails(64, ["synthesize", "taew2_1", "x.safetensors", "--layers", "2"], says: "--layers", "one file")
      try await fails(1, ["synthesize", "taew2_1", "x.bin"], says: "x.bin", "must end in .safetensors")
      try await fails(64, ["synthesize", "ti2v-5b", "new", "--layers", "31"], says: "--layers 31", "1 to 30")
      try await fails(1, ["synthesize", "ti2v-5b", "new", "--format", "q4_k", "--layout", "comfy"], says: "gguf")
      #expect(full.contents == ["notes.txt"])
    }

    @Test("convert writes a model that another layout's reader opens, and says what rounding took")
    func convert() async throws {
      let folder = try TemporaryFolder()
      let result = try await wan(
        ["convert", Folders.golden("ti2v"), "small", "--format", "q8_0"], in: folder)
      #expect(result.status.isSuccess, "\(result.errors)")
      #expect(result.output.contains("diffusion_models/Wan2.2-TI2V-5B-Q8_0.gguf: largest relative error 0."))
      #expect(result.outputLines.last?.contains("read it back") == true)
      let report = try await wan(["inspect", "small"], in: folder)
      #expect(report.status.isSuccess && report.output.contains("Q8_0"), "\(report.output)")
      let json = try await wan(
        ["convert", "small", "again", "--format", "bf16", "--layout", "official", "--json"], in: folder)
      let event = try #require(json.events().first)
      #expect((event["files"] as? [Any])?.count == 3 && event["output"] as? String == "again", "\(json.output)")
      #expect(folder.contents == ["again", "small"])
    }

    @Test("convert refuses what cannot be before anything is written")
    func refusedConversions() async throws {
      let model = Folders.golden("ti2v")
      try await fails(64, ["convert", model, "new"], says: "--format")
      try await fails(64, ["convert", model, "new", "--format", "q9"], says: "q9", "q8_0")
      try await fails(1, ["convert", "/nowhere", "new.gguf", "--format", "q8_0"], says: "/nowhere")
      try await fails(1, ["convert", model, "new.safetensors", "--format", "bf16"], says: "name a folder")
      try await fails(
        1, ["convert", model, "new", "--format", "bf16", "--lora", "none.safetensors"], says: "none.safetensors")
    }
  }
}
