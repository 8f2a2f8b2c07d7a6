import Foundation
import Subprocess
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("What clips tell") struct ShowTests {
    @Test("every format that keeps a recipe tells it", arguments: ["mp4", "webm", "gif", "png"])
    func formats(_ format: String) async throws {
      let folder = try TemporaryFolder()
      let made = try await wan(
        [
          "generate", "-p", "a red; ball = \"狐\"", "--seed", "7", "--steps", "2", "--frames", "1", "--size", "64x32",
          "--guidance", "3", "-o", "a.\(format)",
        ], in: folder)
      #expect(made.status.isSuccess, "\(made.errors)")
      let told = try await wan(["show", "a.\(format)"], in: folder)
      #expect(told.status.isSuccess, "\(told.errors)")
      for line in [
        "model    ti2v-5b", "prompt   a red; ball = \"狐\"", "clip     64x32, 1 frame at 12 fps (0.1 s)",
        "sampling 2 steps unipc, shift 5.0, guidance 3.0, seed 7 (cuda noise)", "engine   bf16",
      ] { #expect(told.outputLines.contains { $0 == line }, "\(line) is not in \(told.output)") }
      let json = try #require(try await wan(["show", "a.\(format)", "--json"], in: folder).events().first)
      #expect(json["seed"] as? Int == 7 && (json["software"] as? String)?.hasPrefix("swift-wan ") == true)
    }

    @Test("files that tell nothing, or something else, are refused")
    func refusals() async throws {
      let folder = try TemporaryFolder()
      let clip = ["generate", "-p", "a", "--steps", "1", "--frames", "1", "--size", "64x32", "--no-metadata"]
      #expect(try await wan(clip + ["-o", "a.png"], in: folder).status.isSuccess)
      try folder.write("other.png", Data(contentsOf: URL(fileURLWithPath: Folders.picture)))
      for (name, part) in [("a.png", "tells nothing"), ("none.mp4", "cannot be opened"), ("other.png", "nothing")] {
        let result = try await wan(["show", name], in: folder)
        #expect(result.status == .exited(1) && result.errors.contains(part), "\(name): \(result.errors)")
      }
    }
  }
}
