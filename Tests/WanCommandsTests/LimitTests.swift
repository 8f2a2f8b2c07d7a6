import Foundation
import Subprocess
import TestSupport
import Testing

/// Runs under limits that the system sets: each ends well or with a sentence and status 1, and leaves nothing behind.
extension WanCommandTests {
  @Suite("Limits", .timeLimit(.minutes(2))) struct Limits {
    /// A shell that sets a limit and becomes a run of the bundled model.
    private func run(
      _ limit: String, _ more: [String] = [], target: String = "a.y4m", in folder: TemporaryFolder
    ) async throws -> CommandResult {
      let arguments =
        ["generate", "-q", "--prompt", "x", "--frames", "1", "--steps", "1", "--seed", "1", "--size", "32x32"]
        + ["--output", target] + more
      let script = ["-c", "\(limit) && exec \"$0\" \"$@\"", try BuiltCommand.path()] + arguments
      return try await runCommand("/bin/bash", script.map { Array($0.utf8) }, in: folder)
    }

    /// Fine with its clip, or one sentence and nothing in the folder.
    private func expectEnd(_ result: CommandResult, _ folder: TemporaryFolder, target: String = "a.y4m") {
      if result.status == .exited(0) {
        #expect(folder.contents == [target])
      } else {
        #expect(result.status == .exited(1), "\(result)")
        #expect(result.errors.hasPrefix("Error: ") && !result.errors.contains("Fatal"), "\(result.errors)")
        #expect(folder.contents.isEmpty)
      }
    }

    #if os(Linux)
      @Test(
        "address space from too little to enough", arguments: stride(from: 200, through: 900, by: 50).map { $0 << 10 })
      func addresses(kibibytes: Int) async throws {
        let folder = try TemporaryFolder()
        let result = try await run("ulimit -v \(kibibytes)", in: folder)
        // Below, the libraries of a debug build do not fit, and the loader says so.
        if result.status == .exited(127) { return }
        expectEnd(result, folder)
      }

      @Test("without the check of the plan too", arguments: stride(from: 200, through: 400, by: 25).map { $0 << 10 })
      func forced(kibibytes: Int) async throws {
        let folder = try TemporaryFolder()
        let result = try await run("ulimit -v \(kibibytes)", ["--force"], in: folder)
        if result.status == .exited(127) { return }
        if result.status == .exited(0) { return }
        #expect(result.status == .exited(1) && result.errors.hasPrefix("Error: "), "\(result)")
        #expect(folder.contents.isEmpty, "\(folder.contents)")
      }

      @Test("memory of its own", arguments: [8, 16, 32, 48, 64, 96, 128, 256, 512].map { $0 << 10 })
      func ownMemory(kibibytes: Int) async throws {
        let folder = try TemporaryFolder()
        let result = try await run("ulimit -d \(kibibytes)", in: folder)
        if result.status == .exited(127) { return }
        expectEnd(result, folder)
      }
    #endif

    @Test("open files", arguments: Array(stride(from: 4, through: 40, by: 2)), ["a.y4m", "a.mp4"])
    func files(count: Int, target: String) async throws {
      let folder = try TemporaryFolder()
      let result = try await run("ulimit -n \(count)", target: target, in: folder)
      if result.status == .exited(127) { return }
      expectEnd(result, folder, target: target)
    }

    @Test("a soft limit on open files is no limit")
    func softLimit() async throws {
      let folder = try TemporaryFolder()
      let result = try await run("ulimit -S -n 8", in: folder)
      #expect(result.status == .exited(0), "\(result)")
    }

    @Test("a plan past the machine's memory is refused, however quiet the run", arguments: [[], ["-q"], ["--json"]])
    func refused(options: [String]) async throws {
      let folder = try TemporaryFolder()
      let result = try await wan(
        ["generate", "--prompt", "x", "--size", "16384x16384", "--frames", "4093", "--output", "a.y4m"] + options,
        in: folder)
      #expect(result.status == .exited(1))
      #expect(result.errors.contains("this run needs about ") && result.errors.contains("--force"), "\(result.errors)")
      #expect(result.output.isEmpty && folder.contents.isEmpty)
    }

    @Test("a plan past a limit of the process is refused with the way to raise it, and --force runs it")
    func force() async throws {
      #if os(Linux)
        let folder = try TemporaryFolder()
        let refused = try await run("ulimit -v 300000", in: folder)
        #expect(refused.status == .exited(1) && refused.errors.contains("ulimit -v"), "\(refused)")
        let forced = try await run("ulimit -v 300000", ["--force"], in: folder)
        #expect(!forced.errors.contains("this run needs"), "\(forced)")
      #endif
    }
  }
}
