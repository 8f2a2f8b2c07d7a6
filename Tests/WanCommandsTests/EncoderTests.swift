import Foundation
import Subprocess
import SystemPackage
import Tensors
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("Encoders that fail") struct EncoderTests {
    private let folder: TemporaryFolder
    private let tools: TemporaryFolder
    private let short = ["generate", "-p", "a", "--steps", "2", "--frames", "5", "--size", "64x32", "-o", "a.mp4"]

    init() throws { (folder, tools) = (try TemporaryFolder(), try TemporaryFolder()) }

    /// Runs with an `ffmpeg` that is a script, in which REAL is the true one.
    private func run(_ script: String) async throws -> CommandResult {
      let real = try await Executable.name("ffmpeg").resolveExecutablePath(in: .inherit).string
      try tools.write("ffmpeg", ("#!/bin/sh\n" + script.replacing("REAL", with: real) + "\n").utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tools.path("ffmpeg"))
      let path = tools.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
      return try await wan(short, in: folder, environment: .hermetic.updating(["PATH": path]))
    }

    @Test(
      "are found before the first step",
      arguments: [
        ("echo \"Unknown encoder 'libx264'\" >&2; exit 1", "Unknown encoder 'libx264'"),
        ("exit 0", "0 of 1 frames"), ("kill -9 $$", "signaled(9)"), ("cat >/dev/null; exit 0", "0 of 1 frames"),
        ("ulimit -v 20000; exec REAL \"$@\"", "ffmpeg"),
      ])
    func early(_ script: String, _ says: String) async throws {
      let result = try await run(script)
      #expect(result.status == .exited(1), "\(result.errors)")
      #expect(result.errors.contains(says) && !result.errors.contains("step 1/"), "\(result.errors)")
      #expect(folder.contents.isEmpty, "\(folder.contents)")
    }

    @Test(
      "later are told at once, with their last words, and the latents are kept",
      arguments: [
        ("head -c 3000 >/dev/null; echo 'No space left on device' >&2; exit 0", "No space left on device"),
        ("head -c 7000 >/dev/null; kill -9 $$", "signaled(9)"),
        ("REAL \"$@\"; echo 'Error muxing a packet' >&2", "Error muxing a packet"),
        ("head -c $((3 * 64 * 32 * 3)) | REAL \"$@\"", "3 of 5 frames"),
      ])
    func late(_ script: String, _ says: String) async throws {
      // The trial is the first call that reads frames.
      let trial = "case \"$*\" in *rawvideo*) if [ -e '\(tools.path)/tried' ]; then \(script); exit; fi; "
      let result = try await run(trial + "touch '\(tools.path)/tried';; esac; exec REAL \"$@\"")
      #expect(result.status == .exited(1), "\(result.errors)")
      #expect(result.errors.contains(says) && result.errors.contains("step 2/2"), "\(result.errors)")
      #expect(result.errors.contains("a.latents.safetensors"), "\(result.errors)")
      #expect(folder.contents == ["a.latents.safetensors"])
      let tensors = try TensorFile.read(folder.path("a.latents.safetensors"))
      #expect(tensors["latents"]?.shape.dimensions == [48, 2, 2, 4])
    }

    @Test(
      "on a full disk leave the older clip as it was", .enabled("needs unshare with a mount") { await canMount() },
      arguments: ["mp4", "webm", "gif", "png", "y4m"])
    func fullDisk(_ format: String) async throws {
      // As much room as the trial takes, and no more: the rest is filled when sampling begins.
      let script = """
        TMPDIR=$PWD/temporary; export TMPDIR; mkdir "$TMPDIR" full && mount -t tmpfs -o size=3m none full && printf old >full/a.\(format) && printf old >full/a-0001.png
        (while ! grep -q 'step 1/' log 2>/dev/null; do sleep 0.02; done; cat /dev/zero >full/filler) 2>/dev/null &
        "$@" --steps 40 -o full/a.\(format) 2>log; code=$?; wait; rm full/filler
        cat log >&2; ls -A full; cat full/a.\(format); rm -r "$TMPDIR"; exit $code
        """
      let command = ["-rm", "sh", "-c", script, "sh", try BuiltCommand.path()] + short.dropLast(2)
      let result = try await runCommand("unshare", command.map { Array($0.utf8) }, in: folder)
      #expect(result.status == .exited(1), "\(result.errors)")
      #expect(result.output == "a-0001.png\na.\(format)\nold", "\(result.output) \(result.errors)")
      #expect(result.errors.contains("latents are kept in '/"), "\(result.errors)")
    }
  }
}
