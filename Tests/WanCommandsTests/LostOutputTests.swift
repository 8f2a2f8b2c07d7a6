import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("Output that nobody reads") struct LostOutputTests {
    private let folder: TemporaryFolder
    private let short = "generate -p a --steps 2 --frames 5 --size 64x32 -o a.y4m"

    init() throws { folder = try TemporaryFolder() }

    /// Runs a script in which `"$@"` is the command.
    private func shell(_ script: String) async throws -> CommandResult {
      let arguments = ["-c", script, "bash", try BuiltCommand.path()].map { Array($0.utf8) }
      return try await runCommand("bash", arguments, in: folder)
    }

    @Test(
      "costs a run nothing",
      arguments: [
        "2>/dev/full", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "--json >/dev/full", "--json >&-", "--json | head -n 1",
        "2> >(head -n 1 >/dev/null)", "--json | true", "2>&1 | head -c 3",
      ])
    func run(_ redirection: String) async throws {
      let result = try await shell("set -o pipefail; \"$@\" \(short) \(redirection)")
      #expect(result.status.isSuccess, "\(redirection): \(result.status) \(result.errors)")
      #expect(folder.contents == ["a.y4m"])
      #expect(try folder.bytes("a.y4m").count > 5 * 3 * 64 * 32)
    }

    @Test("costs a conversion nothing", arguments: ["| true", ">/dev/full", "--json >&-", "2>&1 | head -c 3"])
    func conversion(_ redirection: String) async throws {
      let file = "'\(Folders.golden("ti2v"))/diffusion_pytorch_model.safetensors'"
      let result = try await shell("set -o pipefail; \"$@\" convert \(file) a.gguf -f q8_0 \(redirection)")
      #expect(result.status.isSuccess, "\(redirection): \(result.status) \(result.errors)")
      #expect(folder.contents == ["a.gguf"])
    }

    @Test("a full pipe that does not wait costs text alone")
    func fullPipe() async throws {
      let pipe = try FileDescriptor.pipe()
      defer { try? pipe.readEnd.close() }
      #expect(fcntl(pipe.writeEnd.rawValue, F_SETFL, O_NONBLOCK) == 0)
      while (try? pipe.writeEnd.writeAll(Array(repeating: UInt8(ascii: "x"), count: 512))) != nil {}
      let arguments = short.split(separator: " ").map { Array($0.utf8) }
      let result = try await Subprocess.run(
        configuration(BuiltCommand.path(), arguments, in: folder), output: .discarded,
        error: .fileDescriptor(pipe.writeEnd, closeAfterSpawningProcess: true))
      #expect(result.terminationStatus.isSuccess)
      #expect(folder.contents == ["a.y4m"])
    }

    @Test(
      "fails the commands whose result it is",
      arguments: [
        "inspect NANO >/dev/full", "inspect NANO --json >/dev/full", "inspect NANO >&-", "inspect NANO | true",
        "bench gemm --m 8 --k 32 --n 16 --repeat 1 >/dev/full", "--help >/dev/full", "--version >&-",
      ])
    func report(_ command: String) async throws {
      let script = "set -o pipefail; \"$@\" " + command.replacing("NANO", with: "'\(Folders.nano)'")
      let result = try await shell(script)
      #expect(result.status == .exited(1), "\(command): \(result.status) \(result.errors)")
      #expect(!result.errors.contains("Fatal"), "\(result.errors)")
    }

    @Test("a limit on the size of files is an error, not a signal")
    func sizeLimit() async throws {
      let report = try await shell("ulimit -f 0; \"$@\" inspect '\(Folders.nano)' >report")
      #expect(
        report.status == .exited(1) && report.errors.contains("File too large"), "\(report.status) \(report.errors)")
      for format in ["y4m", "mp4"] {
        let clip = short.replacing("a.y4m", with: "a.\(format)")
        let result = try await shell("ulimit -f 1; \"$@\" \(clip) 2>&1 | cat")
        #expect(result.output.contains("Error: "), "\(result.output)")
        #expect(Set(folder.contents).isSubset(of: ["report"]), "\(folder.contents)")
      }
    }

    @Test("a reader of the clip that leaves ends the run with an error and keeps the latents")
    func streamReader() async throws {
      let clip = short.replacing("-o a.y4m", with: "-o -")
      let result = try await shell("set -o pipefail; \"$@\" \(clip) | head -c 10")
      #expect(result.status == .exited(1) && result.output == "YUV4MPEG2 ", "\(result.errors)")
      #expect(
        result.errors.contains("Broken pipe") && !result.errors.contains("Fatal")
          && result.errors.contains("clip.latents.safetensors"))
      #expect(folder.contents == ["clip.latents.safetensors"])
    }

    @Test(
      "a standard output that takes nothing is found before the first step",
      arguments: [">&-", ">/dev/full", "--stream mp4 >&-", "</dev/null >/dev/null 1<&0"])
    func deafStream(_ redirection: String) async throws {
      let clip = short.replacing("-o a.y4m", with: "-o -")
      let result = try await shell("\"$@\" \(clip) \(redirection)")
      #expect(result.status == .exited(1) && !result.errors.contains("step 1/"), "\(result.errors)")
      #expect(folder.contents.isEmpty)
    }

    @Test("a clip can be read while it is made")
    func streams() async throws {
      let clip = short.replacing("-o a.y4m", with: "-q --seed 1")
      let result = try await shell(
        "set -e; \"$@\" \(clip) -o b.y4m; \"$@\" \(clip) -o - | cmp - b.y4m; "
          + "\"$@\" \(clip) -o - --stream mp4 | ffprobe -v error -count_frames -show_streams -show_format -")
      #expect(result.status.isSuccess, "\(result.errors)")
      #expect(result.output.contains("nb_read_frames=5") && result.output.contains("swift-wan"), "\(result.output)")
      #expect(folder.contents == ["b.y4m"])
    }

    @Test("names out of files move no cursor")
    func escapes() async throws {
      let name = "a\u{1B}[31m\u{9B}2J\u{202E}.pth"
      try folder.write(name, "no checkpoint".utf8)
      for arguments in [["inspect", name], ["generate", "-p", "a", "-m", name], ["generate", "-p", "a", "-o", name]] {
        let result = try await wan(arguments, in: folder)
        #expect(!result.status.isSuccess)
        let told = (result.output + result.errors).unicodeScalars
        #expect(!told.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x9B || $0.value == 0x202E })
        #expect(result.errors.contains("\\u{1B}[31m\\u{9B}2J\\u{202E}"), "\(result.errors)")
      }
    }
  }
}
