import Foundation
import Subprocess
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("Comparing") struct CompareTests {
    /// Clips of the bundled model of few steps.
    private func make(_ name: String, _ more: [String], in folder: TemporaryFolder) async throws {
      let made = try await wan(
        [
          "generate", "-p", "a red ball bounces, sunset", "--seed", "3", "--steps", "4", "--frames", "5", "--size",
          "96x64", "-o", name,
        ] + more, in: folder)
      #expect(made.status.isSuccess, "\(made.errors)")
    }

    @Test("tiles change nothing, and int8 little: at least 30 dB")
    func choices() async throws {
      let folder = try TemporaryFolder()
      try await make("a.png", [], in: folder)
      try await make("tiles.png", ["--vae-tiles", "2x2"], in: folder)
      try await make("int8.png", ["--precision", "int8"], in: folder)
      let tiles = try await wan(["compare", "a.png", "tiles.png", "--json"], in: folder)
      let same = try #require(try tiles.events().first)
      #expect(same["identical"] as? Bool == true && same["psnr"] == nil && same["ssim"] as? Double == 1)
      let int8 = try #require(try await wan(["compare", "a.png", "int8.png", "--json"], in: folder).events().first)
      #expect(int8["identical"] as? Bool == false)
      let (psnr, ssim) = (try #require(int8["psnr"] as? Double), try #require(int8["ssim"] as? Double))
      #expect(psnr > 30 && ssim > 0.9, "\(psnr), \(ssim)")
      #expect((int8["frames"] as? [[String: any Sendable]])?.count == 5)
    }

    @Test("a comparison is told in lines, drawn, and shown side by side")
    func shown() async throws {
      let folder = try TemporaryFolder()
      try await make("a.png", [], in: folder)
      try await make("b & c.mp4", ["--seed", "4"], in: folder)
      let result = try await wan(
        ["compare", "a.png", "b & c.mp4", "--plot", "plot.svg", "--side-by-side", "both.mp4"], in: folder)
      #expect(result.status.isSuccess, "\(result.errors)")
      #expect(result.outputLines.first == "clips    a.png, b & c.mp4: 5 frames of 96x64")
      #expect(result.output.contains(/psnr     \d+\.\d\d dB over all, \d+\.\d\d dB in the worst, frame \d/))
      #expect(result.output.contains(/ssim     0\.\d{4} on average, 0\.\d{4} in the worst, frame \d/))
      #expect(result.outputLines.contains { $0.hasPrefix("vmaf     ") })
      let svg = String(decoding: try folder.bytes("plot.svg"), as: UTF8.self)
      #expect(svg.hasPrefix("<svg ") && svg.contains("<polyline") && svg.contains("b &amp; c.mp4 against a.png"))
      _ = try XMLDocument.checked(svg)
      let sides = try await wan(["compare", "both.mp4", "both.mp4", "--json"], in: folder).events().first
      #expect(sides?["width"] as? Int == 288 && sides?["height"] as? Int == 64)
    }

    @Test("what cannot be compared is told before anything is written")
    func refusals() async throws {
      let folder = try TemporaryFolder()
      try await make("a.png", [], in: folder)
      try await make("long.mp4", ["--frames", "9"], in: folder)
      try folder.write("text.mp4", Array("text".utf8))
      for (arguments, words, status) in [
        (["a.png", "long.mp4"], "'a.png' is 5 frames long, 'long.mp4' is 9", 1),
        (["a.png", "none.mp4"], "no such file", 1), (["a.png", "text.mp4"], "no intact film", 1),
        (["a.png", "long.mp4", "--frames", "6"], "a.png", 1),
        (["a.png", "long.mp4", "--frames", "0"], "--frames 0", 64),
        (["a.png", "a.png", "--plot", "plot.png"], ".svg", 64), (["a.png"], "other", 64),
        (["long.mp4", "long.mp4", "--side-by-side", "long.mp4"], "would be replaced", 1),
        (["a.png", "a.png", "--side-by-side", "none/a.mp4"], "none/a.mp4", 1),
        (["a.png", "a.png", "--plot", "none/a.svg"], "none", 1),
      ] {
        let result = try await wan(["compare"] + arguments, in: folder)
        #expect(result.status == .exited(CInt(status)), "\(arguments): \(result.errors)")
        #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
      }
      #expect(folder.contents.count == 7)
      let first = try await wan(["compare", "a.png", "long.mp4", "--frames", "5"], in: folder)
      #expect(first.status.isSuccess, "\(first.errors)")
    }
  }
}

/// A reader of XML that tests need no module for: every tag that opens is closed, in order.
private enum XMLDocument {
  static func checked(_ text: String) throws -> Int {
    var open: [Substring] = []
    for match in text.matches(of: /<(\/?)([a-z]+)([^<>]*?)(\/?)>/) {
      if match.output.1 == "/" {
        try #require(open.popLast() == match.output.2)
      } else if match.output.4.isEmpty {
        open.append(match.output.2)
      }
    }
    try #require(open.isEmpty)
    return text.count
  }
}
