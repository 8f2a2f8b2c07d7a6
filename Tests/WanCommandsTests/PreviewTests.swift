import Foundation
import Media
import Subprocess
import Synchronization
import TestSupport
import Testing
import WanKit

@testable import WanCommands

extension WanCommandTests {
  @Suite("--preview") struct PreviewCommandTests {
    private let folder: TemporaryFolder
    private let short = [
      "generate", "-p", "a red ball", "--steps", "4", "--frames", "5", "--size", "64x32", "--seed", "1", "-o", "a.y4m",
    ]

    init() throws { folder = try TemporaryFolder() }

    private func frames(_ name: String) async throws -> String {
      let arguments = ["-v", "error", "-count_frames", "-show_streams", name]
      return try await runCommand("ffprobe", arguments.map { Array($0.utf8) }, in: folder).output
    }

    @Test("writes a sheet or an animation and tells of it in the plan", arguments: ["png", "gif", "mp4"])
    func files(format: String) async throws {
      let result = try await wan(short + ["--preview", "p.\(format)"], in: folder)
      #expect(result.status.isSuccess, "\(result.errors)")
      #expect(folder.contents == ["a.y4m", "p.\(format)"])
      #expect(
        result.errorLines.contains("preview  p.\(format), after each step, by the model's own colours"),
        "\(result.errors)")
      let told = try await frames("p.\(format)")
      // 2 latent frames of 4x2, 256 pixels wide: one above the other, or one after the other at a quarter of the rate.
      let parts =
        [
          "png": ["width=256", "height=260"], "gif": ["width=256", "height=128", "nb_read_frames=2"],
          "mp4": ["width=256", "height=128", "nb_read_frames=2", "r_frame_rate=3/1"],
        ][format] ?? []
      for part in parts { #expect(told.contains(part), "\(part) is not in \(told)") }
      let other = try await wan(short + ["-o", "b.y4m"], in: folder)
      #expect(other.status.isSuccess)
      #expect(try folder.bytes("a.y4m") == folder.bytes("b.y4m"))
    }

    @Test("events tell of it in the plan alone")
    func events() async throws {
      let result = try await wan(short + ["--preview", "p.png", "--preview-every", "3", "--json"], in: folder)
      let events = try result.events()
      let plan = try #require(events.first?["preview"] as? [String: Any])
      #expect(plan["target"] as? String == "p.png" && plan["every"] as? Int == 3 && plan["by"] as? String == "own")
      #expect(events.filter { $0["event"] as? String == "step" }.count == 4)
      #expect(
        Set(events.compactMap { $0["event"] as? String }).isSubset(of: [
          "plan", "stage", "stageEnd", "step", "frames", "done",
        ]))
      #expect(result.errors.isEmpty)
    }

    @Test("the file is a whole picture at every moment")
    func atomic() async throws {
      let path = folder.path("p.png")
      let steps = short.map { $0 == "4" ? "60" : $0 } + ["--preview", "p.png"]
      async let run = wan(steps, in: folder)
      var seen: Set<[UInt8]> = []
      while !FileManager.default.fileExists(atPath: folder.path("a.y4m")) {
        if let bytes = try? [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) {
          seen.insert(bytes)
          #expect(bytes.suffix(8) == [0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82] && bytes.count == bytes.count)
        }
        try await Task.sleep(for: .milliseconds(3))
      }
      #expect(try await run.status.isSuccess)
      #expect(seen.count > 2 && Set(seen.map(\.count)).count == 1)
      #expect(folder.contents == ["a.y4m", "p.png"])
    }

    @Test("what cannot be written costs one notice, and the run nothing")
    func failures() async throws {
      let tools = try TemporaryFolder()
      try tools.write("ffmpeg", "#!/bin/sh\necho 'No space left on device' >&2; exit 1\n".utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tools.path("ffmpeg"))
      let path = tools.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
      let broken = try await wan(
        short + ["--preview", "p.mp4"], in: folder, environment: .hermetic.updating(["PATH": path]))
      #expect(broken.status.isSuccess && folder.contents == ["a.y4m"], "\(broken.errors) \(folder.contents)")
      let notices = broken.errorLines.filter { $0.contains("its preview 'p.mp4' is not written") }
      #expect(notices.count == 1 && notices[0].contains("No space left on device"), "\(broken.errors)")

      // The folder goes away while the run goes on.
      try FileManager.default.createDirectory(atPath: folder.path("gone"), withIntermediateDirectories: true)
      async let run = wan(short.map { $0 == "4" ? "40" : $0 } + ["--preview", "gone/p.png"], in: folder)
      while !FileManager.default.fileExists(atPath: folder.path("gone/p.png")) {
        try await Task.sleep(for: .milliseconds(5))
      }
      try FileManager.default.removeItem(atPath: folder.path("gone"))
      let lost = try await run
      #expect(lost.status.isSuccess, "\(lost.errors)")
      #expect(lost.errorLines.count { $0.contains("its preview 'gone/p.png' is not written") } == 1, "\(lost.errors)")
    }

    @Test("an encoder that never ends does not keep a finished run")
    func hanging() async throws {
      let place = try PreviewPlace(folder.path("p.gif"))
      let tools = try TemporaryFolder()
      try tools.write("ffmpeg", "#!/bin/sh\nexec sleep 600\n".utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: tools.path("ffmpeg"))
      let ffmpeg = try FFmpeg.locate(tools.path("ffmpeg"), searchPath: nil)
      let said = Lines()
      let writer = PreviewWriter(place, ffmpeg: ffmpeg, patience: .milliseconds(200), onNotice: said.add)
      let picture = RGBImage(width: 2, height: 2, pixels: Array(repeating: 9, count: 12))
      for step in 1...2 {
        writer.offer(StepPreview(step: step, steps: 2, pictures: [picture], frameRate: 3))
      }
      let started = ContinuousClock.now
      await writer.finish()
      #expect(ContinuousClock.now - started < .seconds(20))
      #expect(said.lines.count == 1 && said.lines[0].contains("the last preview is not written"), "\(said.lines)")
      #expect(folder.contents.isEmpty, "\(folder.contents)")
    }

    @Test("a run that goes on is previewed too, into the folder that it is asked from")
    func resumed() async throws {
      let kept = try await wan(short + ["--save-run", "r", "--keep-run"], in: folder)
      #expect(kept.status.isSuccess, "\(kept.errors)")
      try FileManager.default.createDirectory(atPath: folder.path("else"), withIntermediateDirectories: true)
      let states = try FileManager.default.contentsOfDirectory(atPath: folder.path("r")).filter { $0.contains("state") }
      #expect(!states.isEmpty)
      // Without its states it begins anew.
      for name in states { try FileManager.default.removeItem(atPath: folder.path("r/" + name)) }
      let arguments = ["resume", "../r", "--preview", "p.png", "--preview-every", "2"].map { Array($0.utf8) }
      let script = ["-c", "cd else && exec \"$@\"", "sh", try BuiltCommand.path()].map { Array($0.utf8) }
      let result = try await runCommand("sh", script + arguments, in: folder)
      #expect(result.status.isSuccess, "\(result.errors)")
      #expect(FileManager.default.fileExists(atPath: folder.path("else/p.png")))
      #expect(result.errors.contains("p.png, after every 2 steps, by the model's own colours"), "\(result.errors)")
    }

    @Test("what cannot be is said before anything runs")
    func refusals() async throws {
      try FileManager.default.createSymbolicLink(
        atPath: folder.path("picture.png"), withDestinationPath: Folders.picture)
      let table: [(arguments: [String], code: Int32, says: String)] = [
        (["--preview", "p.avi"], 1, "must end in one of .png .gif .mp4, or be 'terminal'"),
        (["--preview", "p.webm"], 1, "must end in one of .png .gif .mp4"),
        (["--preview", "p"], 1, "must end in one of"),
        (["--preview", ""], 64, "it is empty"), (["--preview", "none/p.png"], 1, "there is no folder"),
        (["--preview", "/proc/p.png"], 1, "--preview /proc/p.png"),
        (["--preview", "b.gif", "-o", "b.gif"], 1, "which this run writes itself"),
        (["--preview", "picture.png", "-i", "picture.png"], 1, "is read by this run"),
        (["--preview", "terminal"], 1, "standard error is no terminal"),
        (["--preview", "terminal", "--quiet"], 1, "and --quiet nothing"),
        (["--preview", "terminal=vt52"], 64, "known are kitty, iterm2, sixel"),
        (["--preview", "p.png", "--preview-every", "0"], 64, "not from 1 to 1000"),
        (["--preview-every", "2"], 64, "go with --preview"), (["--preview-vae", "tiny"], 64, "go with --preview"),
        (["--preview", "p.png", "--preview-vae", "tiny"], 1, "--preview-vae: "),
        (["--preview", "p.png", "--preview-vae", "none.pth"], 1, "none.pth"),
        (["--preview", "p.png", "--preview-vae", Folders.nano + "/Wan2.2_VAE.pth"], 1, "--preview-vae: "),
      ]
      for (arguments, code, says) in table {
        let result = try await wan(short + arguments, in: folder)
        #expect(result.status == .exited(code), "\(arguments): \(result.status) \(result.errors)")
        #expect(result.errors.contains(says), "\(arguments): \(result.errors)")
        #expect(folder.contents == ["picture.png"], "\(arguments): \(folder.contents)")
      }
      let nowhere = Environment.hermetic.updating(["PATH": "/nowhere"])
      let result = try await wan(short + ["--preview", "p.mp4"], in: folder, environment: nowhere)
      #expect(result.status == .exited(1) && result.errors.contains("apt install ffmpeg"), "\(result.errors)")
    }

    @Test("preview-fit writes a model's colours, which its previews then take")
    func fit() async throws {
      let model = try folder.link(model: Folders.golden("ti2v"), as: "model")
      let result = try await wan(["preview-fit", "model", "--json"], in: folder)
      #expect(result.status.isSuccess, "\(result.errors)")
      let report = try #require(result.events().first)
      #expect(report["channels"] as? Int == 48 && (report["explained"] as? Double ?? 9) <= 1)
      #expect(report["output"] as? String == "model/preview.json")
      let clip = try await wan(short + ["-m", model, "--preview", "p.png"], in: folder)
      #expect(clip.errors.contains("by the model's own colours"), "\(clip.errors)")
      let refused = try await wan(["preview-fit", "model", "-o", "none/a.json"], in: folder)
      #expect(refused.status == .exited(1) && refused.errors.contains("there is no folder"), "\(refused.errors)")
      let nothing = try await wan(["preview-fit", "nothing"], in: folder)
      #expect(nothing.status == .exited(1), "\(nothing.errors)")
    }

    /// Lines in the order in which they came.
    private final class Lines: Sendable {
      private let kept = Mutex<[String]>([])
      var lines: [String] { kept.withLock { $0 } }

      func add(_ line: String) { kept.withLock { $0.append(line) } }
    }
  }
}
