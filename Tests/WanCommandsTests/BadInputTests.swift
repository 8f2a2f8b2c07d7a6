import Foundation
import Subprocess
import TestSupport
import Testing

/// Something that a person can get wrong in `wan generate`, and what must come of it.
struct BadInput: Sendable, CustomTestStringConvertible {
  let what: String
  let arguments: [String]
  var usage = false
  let says: [String]

  var testDescription: String { what }

  /// - Parameter arguments: IN stands for the folder of ``BadFiles``.
  init(_ what: String, _ arguments: [String], usage: Bool = false, says: String...) {
    (self.what, self.arguments, self.usage, self.says) = (what, arguments, usage, says)
  }
}

/// Damaged models and pictures.
struct BadFiles {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let nano = Folders.nano
    let checkpoint = "diffusion_pytorch_model.safetensors"
    try folder.link(model: nano, as: "no-config", without: ["config.json"])
    try folder.link(model: nano, as: "no-vae", without: ["Wan2.2_VAE.pth"])
    try folder.link(model: nano, as: "no-text-encoder", without: ["models_t5_umt5-xxl-enc-bf16.pth"])
    try folder.link(model: nano, as: "no-tokenizer", without: ["google"])
    try folder.link(model: nano, as: "no-transformer", without: [checkpoint])
    try folder.link(model: nano, as: "no-shard", without: [checkpoint])
    let index = #"{"metadata": {}, "weight_map": {"patch_embedding.weight": "part-1-of-2.safetensors"}}"#
    try folder.write("no-shard/\(checkpoint).index.json", index.utf8)
    try folder.link(model: nano, as: "short-transformer", without: [checkpoint])
    try folder.write("short-transformer/" + checkpoint, Golden.data("\(nano)/\(checkpoint)").prefix(100_000))
    try folder.link(model: nano, as: "bad-config", without: ["config.json"])
    try folder.write("bad-config/config.json", #"{"model_type": "ti2v", "num_heads": "#.utf8)
    try folder.link(model: nano, as: "odd-heads", without: ["config.json"])
    try folder.write("odd-heads/config.json", #"{"model_type": "ti2v", "num_heads": 5, "dim": 256}"#.utf8)
    try folder.write("empty.png", [])
    try folder.write("text.png", "this is no picture\n".utf8)
    try folder.write("short.png", Golden.data(Folders.picture).prefix(300))
    try folder.write("huge.png", Self.png(width: 1_000_000, height: 1_000_000))
    try folder.link(model: nano, as: "whole")
    try FileManager.default.copyItem(atPath: Folders.picture, toPath: folder.path("start.png"))
    for (link, destination) in [
      ("start-link.png", "start.png"), ("null.mp4", "/dev/null"), ("to-clip.safetensors", "clip.y4m"),
    ] {
      try FileManager.default.createSymbolicLink(atPath: folder.path(link), withDestinationPath: destination)
    }
    guard unsafe mkfifo(folder.path("pipe.y4m"), 0o600) == 0 else { throw CocoaError(.fileWriteUnknown) }
    try FileManager.default.createDirectory(atPath: folder.path("empty"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: folder.path("folder.mp4"), withIntermediateDirectories: true)
  }

  /// The start of a PNG file that claims a size.
  private static func png(width: UInt32, height: UInt32) -> [UInt8] {
    let big = [width, height].flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + "IHDR".utf8 + big + [8, 2, 0, 0, 0]
      + [0, 0, 0, 0, 0, 0, 0, 0] + "IDAT".utf8 + [0, 0, 0, 0]
  }

  static let table = [
    BadInput("no prompt", [], usage: true, says: "--prompt"),
    BadInput("a size of nothing", ["-p", "a", "--memory", "lots"], usage: true, says: "--memory", "12GiB"),
    BadInput(
      "less memory than anything needs", ["-p", "a", "--memory", "10MB"], says: "it was given 10 MiB", "--force"),
    BadInput("an unknown option", ["-p", "a", "--stepps", "2"], usage: true, says: "--stepps"),
    BadInput("a stray argument", ["-p", "a", "b"], usage: true, says: "b"),
    BadInput("a long prompt", ["-p", String(repeating: "x", count: 100_000)], usage: true, says: "100000", "20000"),
    BadInput(
      "a long negative prompt", ["-p", "a", "--negative-prompt", String(repeating: "é", count: 30_000)], usage: true,
      says: "--negative-prompt", "30000"),
    BadInput("no steps", ["-p", "a", "--steps", "0"], usage: true, says: "--steps", "1 to 1000"),
    BadInput("negative steps", ["-p", "a", "--steps", "-3"], usage: true, says: "--steps", "-3"),
    BadInput("steps in words", ["-p", "a", "--steps", "two"], usage: true, says: "--steps", "'two'"),
    BadInput("sigmas that rise", ["-p", "a", "--sigmas", "0.5,0.9"], usage: true, says: "--sigmas", "entry 1, 0.9"),
    BadInput("a sigma above 1", ["-p", "a", "--sigmas", "2,0"], usage: true, says: "--sigmas", "entry 0"),
    BadInput("sigmas in words", ["-p", "a", "--sigmas", "1,half"], usage: true, says: "--sigmas"),
    BadInput(
      "sigmas and timesteps", ["-p", "a", "--sigmas", "0.5", "--timesteps", "500"], usage: true, says: "--sigmas",
      "one of them"),
    BadInput(
      "a boundary of one transformer", ["-p", "a", "--boundary", "0.5"], usage: true, says: "--boundary",
      "one transformer"),
    BadInput(
      "guidance past the last step", ["-p", "a", "--steps", "4", "--guidance-until", "5"], usage: true,
      says: "--guidance-until", "1 to 4"),
    BadInput("guidance until no step", ["-p", "a", "--guidance-until", "0"], usage: true, says: "--guidance-until"),
    BadInput("guidance backwards", ["-p", "a", "--guidance-until", "4-2"], usage: true, says: "--guidance-until"),
    BadInput(
      "guided steps without guidance", ["-p", "a", "--guidance", "1", "--guidance-until", "2"], usage: true,
      says: "--guidance-until", "guidance is 1"),
    BadInput("16 frames", ["-p", "a", "--frames", "16"], usage: true, says: "--frames", "13 and 17"),
    BadInput("no frames", ["-p", "a", "--frames", "0"], usage: true, says: "--frames"),
    BadInput("too many frames", ["-p", "a", "--frames", "9999999"], usage: true, says: "--frames", "1 to"),
    BadInput("a size off the patch", ["-p", "a", "--size", "100x128"], usage: true, says: "--size", "96x128"),
    BadInput("half a size", ["-p", "a", "--size", "12"], usage: true, says: "--size", "832x480"),
    BadInput("no size", ["-p", "a", "--size", "0x0"], usage: true, says: "--size", "0x0"),
    BadInput("a vast size", ["-p", "a", "--size", "99999999999x1"], usage: true, says: "--size", "32768"),
    BadInput(
      "a size past all numbers", ["-p", "a", "--size", "99999999999999999999x1"], usage: true, says: "--size"),
    BadInput("a shift of NaN", ["-p", "a", "--shift", "nan"], usage: true, says: "--shift", "nan"),
    BadInput("a shift of 0", ["-p", "a", "--shift", "0"], usage: true, says: "--shift", "positive"),
    BadInput("a negative shift", ["-p", "a", "--shift", "-2"], usage: true, says: "--shift", "positive"),
    BadInput("an infinite shift", ["-p", "a", "--shift", "inf"], usage: true, says: "--shift", "positive"),
    BadInput("guidance of NaN", ["-p", "a", "--guidance", "nan"], usage: true, says: "--guidance", "finite"),
    BadInput("infinite guidance", ["-p", "a", "--guidance", "3,inf"], usage: true, says: "--guidance", "finite"),
    BadInput(
      "tiles of nothing", ["-p", "a", "--vae-tiles", "0x2"], usage: true, says: "--vae-tiles", "rows x columns"),
    BadInput("too many tiles", ["-p", "a", "--vae-tiles", "900x1"], usage: true, says: "--vae-tiles", "at most"),
    BadInput("three guidances", ["-p", "a", "--guidance", "1,2,3"], usage: true, says: "--guidance", "LOW,HIGH"),
    BadInput("no fps", ["-p", "a", "--fps", "0"], usage: true, says: "--fps", "1 to 240"),
    BadInput("an unknown solver", ["-p", "a", "--solver", "heun"], usage: true, says: "--solver", "unipc", "euler"),
    BadInput("an unknown precision", ["-p", "a", "--precision", "f16"], usage: true, says: "--precision", "bf16"),
    BadInput("a negative seed", ["-p", "a", "--seed", "-2"], usage: true, says: "--seed", "'-2'"),
    BadInput("half a rate", ["-p", "a", "--fps", "24000/"], usage: true, says: "--fps", "24000/1001"),
    BadInput("a rate of nothing", ["-p", "a", "--fps", "1/0"], usage: true, says: "--fps"),
    BadInput("a GIF too fast", ["-p", "a", "--fps", "60", "-o", "a.gif"], says: "50 frames per second", "60"),
    BadInput(
      "two guidances for one transformer", ["-p", "a", "--guidance", "3,4"], usage: true, says: "--guidance", "3.0,4.0"),
    BadInput(
      "both negative prompts", ["-p", "a", "--negative-prompt", "b", "--no-negative-prompt"], usage: true,
      says: "--no-negative-prompt"),
    BadInput("a stream without a target", ["-p", "a", "--stream", "mp4"], usage: true, says: "--stream", "--output -"),
    BadInput("two things on standard output", ["-p", "a", "-o", "-", "--json"], usage: true, says: "--json"),
    BadInput(
      "an unknown device", ["-p", "a", "--device", "abacus"], usage: true, says: "--device 'abacus' is not known",
      "auto, cpu (available)"),
    BadInput("no threads", ["-p", "a", "--threads", "0"], usage: true, says: "--threads 0", "1 to 256"),
    BadInput("no card", ["-p", "a", "--rng-card", "0x0"], usage: true, says: "--rng-card 0x0", "1 to"),
    BadInput("a missing model", ["-p", "a", "--model", "IN/none"], says: "/none", "no such model folder"),
    BadInput("a file as model", ["-p", "a", "--model", Folders.picture], says: "first_frame.png"),
    BadInput("an empty folder as model", ["-p", "a", "--model", "IN/empty"], says: "/empty", "config.json", "nothing"),
    BadInput("a missing config", ["-p", "a", "--model", "IN/no-config"], says: "no-config", "config.json"),
    BadInput("a missing VAE", ["-p", "a", "--model", "IN/no-vae"], says: "no-vae", "Wan2.2_VAE"),
    BadInput("a missing text encoder", ["-p", "a", "--model", "IN/no-text-encoder"], says: "models_t5_umt5-xxl"),
    BadInput("a missing tokenizer", ["-p", "a", "--model", "IN/no-tokenizer"], says: "no-tokenizer", "tokenizer.json"),
    BadInput(
      "a missing transformer", ["-p", "a", "--model", "IN/no-transformer"], says: "no-transformer", "safetensors"),
    BadInput("a missing shard", ["-p", "a", "--model", "IN/no-shard"], says: "part-1-of-2.safetensors"),
    BadInput("half a transformer", ["-p", "a", "--model", "IN/short-transformer"], says: "diffusion_pytorch_model"),
    BadInput("half a config", ["-p", "a", "--model", "IN/bad-config"], says: "bad-config/config.json"),
    BadInput("heads that do not divide", ["-p", "a", "--model", "IN/odd-heads"], says: "config.json says num_heads 5"),
    BadInput("a missing output folder", ["-p", "a", "-o", "none/a.mp4"], says: "none/a.mp4", "create it"),
    BadInput("an output folder that is none", ["-p", "a", "-o", "IN/text.png/a.y4m"], says: "text.png", "create it"),
    BadInput("an unwritable output folder", ["-p", "a", "-o", "/proc/a.mp4"], says: "/proc/a.mp4", "cannot write"),
    BadInput(
      "a long name", ["-p", "a", "-o", String(repeating: "x", count: 252) + ".y4m"], says: "256 bytes", "shorten it"),
    BadInput(
      "long numbered names", ["-p", "a", "--frames", "5", "-o", String(repeating: "x", count: 250) + ".png"],
      says: "259 bytes"),
    BadInput("a pipe as output", ["-p", "a", "-o", "IN/pipe.y4m"], says: "pipe.y4m", "it is a pipe"),
    BadInput("a link to a device as output", ["-p", "a", "-o", "IN/null.mp4"], says: "null.mp4", "it is a device"),
    BadInput("no output", ["-p", "a", "-o", ""], usage: true, says: "<output>", "it is empty"),
    BadInput(
      "the picture itself as output", ["-p", "a", "--frames", "1", "-i", "IN/start.png", "-o", "IN/start-link.png"],
      says: "start.png", "is read by this run"),
    BadInput(
      "a checkpoint as tensors",
      ["-p", "a", "-m", "IN/whole", "--save-tensors", "IN/whole/diffusion_pytorch_model.safetensors"],
      says: "diffusion_pytorch_model.safetensors", "is read by this run"),
    BadInput(
      "the clip as tensors", ["-p", "a", "-o", "IN/clip.y4m", "--save-tensors", "IN/to-clip.safetensors"],
      says: "--save-tensors", "the clip's own file"),
    BadInput("a folder as output", ["-p", "a", "-o", "IN/folder.mp4"], says: "folder.mp4", "is a folder"),
    BadInput("an unknown format", ["-p", "a", "-o", "a.avi"], says: "a.avi", ".mp4 .webm .gif .png .y4m"),
    BadInput("no format", ["-p", "a", "-o", "clip"], says: "clip", ".mp4"),
    BadInput(
      "a missing tensor folder", ["-p", "a", "--save-tensors", "none/a.safetensors"], says: "--save-tensors", "create"),
    BadInput(
      "tensors in another format", ["-p", "a", "--save-tensors", "a.pth"], says: "--save-tensors", ".safetensors"),
    BadInput("a missing picture", ["-p", "a", "-i", "IN/none.png"], says: "none.png", "no such file"),
    BadInput("an empty picture", ["-p", "a", "-i", "IN/empty.png"], says: "empty.png", "empty"),
    BadInput("text as a picture", ["-p", "a", "-i", "IN/text.png"], says: "text.png", "it is text"),
    BadInput("half a picture", ["-p", "a", "-i", "IN/short.png"], says: "short.png", "it is damaged"),
    BadInput("an enormous picture", ["-p", "a", "-i", "IN/huge.png"], says: "huge.png", "1000000x1000000"),
    BadInput("a folder as picture", ["-p", "a", "-i", "IN/empty"], says: "/empty", "folder"),
    BadInput(
      "a picture for a model of text", ["-p", "a", "-m", Folders.golden("t2v"), "-i", Folders.picture], usage: true,
      says: "--image", "text alone"),
    BadInput(
      "no picture for a model of pictures", ["-p", "a", "-m", Folders.golden("i2v")], usage: true, says: "--image"),
  ]
}

extension WanCommandTests {
  @Suite("Bad input") struct BadInputTests {
    @Test("is told clearly and leaves nothing behind")
    func table() async throws {
      let files = try BadFiles()
      for input in BadFiles.table {
        let work = try TemporaryFolder()
        let arguments = input.arguments.map { $0.hasPrefix("IN/") ? files.folder.path(String($0.dropFirst(3))) : $0 }
        let result = try await wan(["generate"] + arguments, in: work)
        check(result, input, work)
      }
    }

    private func check(_ result: CommandResult, _ input: BadInput, _ work: TemporaryFolder) {
      let told = "\(input.what): \(result.status), \(result.errors.prefix(1500))"
      #expect(result.status == .exited(input.usage ? 64 : 1), "\(told)")
      #expect(result.output.isEmpty, "\(told)")
      #expect(result.errors.hasPrefix("Error: "), "\(told)")
      #expect(result.errors.utf8.count < 1500, "\(told)")
      for part in input.says { #expect(result.errors.contains(part), "\(part) is not in \(told)") }
      #expect(work.contents.isEmpty, "\(told)")
    }

    @Test("bytes that are not UTF-8 are refused in prompts")
    func invalidText() async throws {
      let work = try TemporaryFolder()
      let prompt: [UInt8] = [0x61, 0xFF, 0xFE, 0x62]
      let arguments = ["generate", "-o", "a.y4m", "--prompt"].map { Array($0.utf8) } + [prompt]
      let result = try await runCommand(BuiltCommand.path(), arguments, in: work)
      #expect(result.status == .exited(64))
      #expect(result.errors.contains("--prompt") && result.errors.contains("UTF-8"))
      #expect(work.contents.isEmpty)
    }

    @Test("without ffmpeg only the formats that need it fail")
    func missingFFmpeg() async throws {
      let work = try TemporaryFolder()
      let nowhere = Environment.hermetic.updating(["PATH": "/nowhere"])
      let short = ["generate", "-p", "a", "--steps", "1", "--frames", "1", "--size", "32x32"]
      for arguments in [["-o", "a.mp4"], ["-o", "a.y4m", "-i", Folders.picture]] {
        let result = try await wan(short + arguments, in: work, environment: nowhere)
        #expect(result.status == .exited(1))
        #expect(result.errors.contains("apt install ffmpeg"), "\(result.errors)")
        #expect(!result.errors.contains("step 1"))
        #expect(work.contents.isEmpty)
      }
      let result = try await wan(short + ["-o", "a.y4m"], in: work, environment: nowhere)
      #expect(result.status.isSuccess, "\(result.errors)")
      #expect(work.contents == ["a.y4m"])
    }

    /// A file system of `kilobytes` over `full`, in a mount namespace of its own, so that nothing is left to undo.
    private func onFullDisk(_ arguments: [String], kilobytes: Int, _ work: TemporaryFolder) async throws
      -> CommandResult
    {
      let script = "mount -t tmpfs -o size=\(kilobytes)k none full && \"$@\"; code=$?; ls -A full; exit $code"
      let command = ["-rm", "sh", "-c", script, "sh", try BuiltCommand.path()] + arguments
      return try await runCommand("unshare", command.map { Array($0.utf8) }, in: work)
    }

    @Test(
      "a full disk is told, before the run where that is possible",
      .enabled("needs unshare with a mount") {
        await canMount()
      })
    func fullDisk() async throws {
      let work = try TemporaryFolder()
      try FileManager.default.createDirectory(atPath: work.path("full"), withIntermediateDirectories: true)
      let clip = ["generate", "-p", "a", "--steps", "1", "--frames", "5", "--size", "128x128"]
      let tensors = ["--save-tensors", "full/a.safetensors", "-o", "a.y4m"]
      for (arguments, kilobytes, says) in [
        (["-o", "full/a.mp4"], 100, "MiB left"), (["-o", "full/a.y4m"], 200, "MiB left"),
        (tensors, 100, "full/a.safetensors"),
      ] {
        let result = try await onFullDisk(clip + arguments, kilobytes: kilobytes, work)
        #expect(result.status == .exited(1), "\(result.errors)")
        #expect(result.errors.contains(says), "\(result.errors)")
        #expect(result.output.isEmpty, "left on the full disk: \(result.output)")
        #expect(Set(work.contents).isSubset(of: ["full", "a.y4m"]))
      }
    }
  }
}

/// Whether this system lets a test mount a file system.
func canMount() async -> Bool {
  guard let folder = try? TemporaryFolder() else { return false }
  let arguments = ["-rm", "mount", "-t", "tmpfs", "none", folder.url.path].map { Array($0.utf8) }
  return (try? await runCommand("unshare", arguments, in: folder).status.isSuccess) ?? false
}
