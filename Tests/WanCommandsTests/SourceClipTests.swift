import Foundation
import Media
import Subprocess
import TestSupport
import Testing

@testable import WanCommands

extension WanCommandTests {
  @Suite("Clips made of clips") struct SourceClipTests {
    private let words = ["generate", "-p", "a red ball", "--steps", "4", "--seed", "3"]

    private func run(_ arguments: [String], in folder: TemporaryFolder) async throws -> CommandResult {
      let result = try await wan(arguments, in: folder)
      #expect(result.status.isSuccess, "\(arguments): \(result.errors)")
      return result
    }

    private func first(_ folder: TemporaryFolder, _ options: [String] = [], _ name: String = "a.y4m") async throws {
      _ = try await run(words + ["--size", "96x64", "--frames", "13", "--fps", "9", "-o", name] + options, in: folder)
    }

    private func frames(_ name: String, _ folder: TemporaryFolder) async throws -> (facts: ClipFacts, [RGBImage]) {
      let reader = try await ClipReader(path: folder.path(name), ffmpeg: .fromEnvironment())
      var frames: [RGBImage] = []
      while let frame = try await reader.next() { frames.append(frame) }
      return (reader.facts, frames)
    }

    @Test("a clip goes on in the size and rate of the one before, and holds the new frames alone")
    func continued() async throws {
      let folder = try TemporaryFolder()
      try await first(folder)
      let result = try await run(
        words + ["--continue", "a.y4m", "--frames", "17", "--overlap", "5", "-o", "b.mp4", "--json"], in: folder)
      let plan = try #require(try result.events().first)
      #expect(plan["size"] as? String == "96x64" && plan["fps"] as? Double == 9)
      #expect(plan["knownFrames"] as? Int == 5 && plan["frames"] as? Int == 17)
      let (facts, new) = try await frames("b.mp4", folder)
      #expect(new.count == 12 && facts.frameRate?.value == 9)
      let shown = try await run(["show", "b.mp4"], in: folder)
      #expect(shown.output.contains("after    5 frames of another clip"), "\(shown.output)")
      // Made again it needs the clip again, and has the same bytes then.
      let refused = try await wan(["rerun", "b.mp4", "-o", "c.mp4"], in: folder)
      #expect(refused.errors.contains("give it with --continue"), "\(refused.errors)")
      _ = try await run(["rerun", "b.mp4", "--continue", "a.y4m", "-o", "c.mp4"], in: folder)
      #expect(try folder.bytes("b.mp4") == folder.bytes("c.mp4"))
    }

    @Test("a clip that is made of a video takes the steps below the strength")
    func video() async throws {
      let folder = try TemporaryFolder()
      try await first(folder, [], "v.png")
      let options = ["--video", "v.png", "--strength", "0.9", "--size", "96x64", "-o", "b.png", "--json"]
      let result = try await run(words + options, in: folder)
      let events = try result.events()
      #expect(events.first?["strength"] as? Double == 0.9 && events.first?["steps"] as? Int == 4)
      #expect(events.first?["frames"] as? Int == 13)
      #expect(events.filter { $0["event"] as? String == "step" }.count < 4)
      #expect(try await frames("b.png", folder).1.count == 13)
      let refused = try await wan(["rerun", "b-0001.png", "-o", "c.png"], in: folder)
      #expect(refused.errors.contains("give it with --video"), "\(refused.errors)")
      _ = try await run(["rerun", "b-0001.png", "--video", "v.png", "-o", "c.png"], in: folder)
      #expect(try folder.bytes("b-0007.png") == folder.bytes("c-0007.png"))
    }

    @Test("a clip ends with a picture, and says so")
    func ending() async throws {
      let folder = try TemporaryFolder()
      try await first(folder, ["--last-image", Folders.picture, "-i", Folders.picture], "a.gif")
      #expect(try await run(["show", "a.gif"], in: folder).output.contains("ending   with a picture"))
      let again = ["rerun", "a.gif", "-i", Folders.picture, "-o", "b.gif"]
      #expect(try await wan(again, in: folder).errors.contains("give it with --last-image"))
      _ = try await run(again + ["--last-image", Folders.picture], in: folder)
      #expect(try folder.bytes("a.gif") == folder.bytes("b.gif"))
    }

    @Test("what cannot be made of clips is refused before anything runs")
    func refusals() async throws {
      let folder = try TemporaryFolder()
      try await first(folder)
      try folder.write("text.mp4", "this is no film\n".utf8)
      for (wrong, part) in [
        (["--overlap", "5"], "give both"), (["--continue", "a.y4m", "--overlap", "4"], "4n+1"),
        (["--continue", "a.y4m", "--overlap", "17"], "it has 13 frames, fewer than the 17"),
        (["--continue", "a.y4m", "--overlap", "13", "--frames", "13"], "leave nothing of 13 frames"),
        (["--continue", "a.y4m", "-i", Folders.picture], "--continue"), (["--continue", "none.mp4"], "none.mp4"),
        (["--continue", "text.mp4"], "text.mp4"), (["--video", "a.y4m"], "go together"),
        (["--strength", "0.5"], "go together"), (["--video", "a.y4m", "--strength", "0"], "leave the video as it is"),
        (["--video", "a.y4m", "--strength", "1"], "leave nothing of it"),
        (["--video", "a.y4m", "--strength", "nan"], "--strength"),
        (["--video", "text.mp4", "--strength", "0.5"], "text.mp4"),
        (["--video", "a.y4m", "--strength", "0.5", "--frames", "81"], "frames at the clip's rate, and 81"),
        (["--continue", "a.y4m", "--video", "a.y4m", "--strength", "0.5"], "give one of both"),
        (["--continue", "a.y4m", "-o", "a.y4m"], "a.y4m"),
        (["-m", Folders.golden("t2v"), "--continue", "a.y4m"], "from text alone"),
      ] {
        let output = wrong.contains("-o") ? [] : ["-o", "b.y4m"]
        let before = try folder.bytes("a.y4m")
        let result = try await wan(words + wrong + output, in: folder)
        #expect(!result.status.isSuccess && result.errors.contains(part), "\(wrong): \(result.errors)")
        #expect(try folder.bytes("a.y4m") == before && !folder.contents.contains("b.y4m"), "\(wrong)")
      }
    }
  }
}
