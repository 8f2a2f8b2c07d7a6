import Foundation
import TestSupport
import Testing

@testable import Media

@Suite("Comparing clips") struct SimilarityTests {
  private func noisy(_ image: RGBImage, seed: UInt64, spread: Int) -> RGBImage {
    var random = SeededGenerator(seed: seed)
    let pixels = image.pixels.map { byte in
      UInt8(min(max(Int(byte) + Int(random.next() % UInt64(2 * spread + 1)) - spread, 0), 255))
    }
    return RGBImage(width: image.width, height: image.height, pixels: pixels)
  }

  private func write(_ path: String, _ frames: [RGBImage], rate: FrameRate = 24) async throws {
    let settings = try ClipSettings(
      width: frames[0].width, height: frames[0].height, frameRate: rate, frameCount: frames.count)
    let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpegForTests)
    for frame in frames { try await writer.write(frame) }
    try await writer.finish()
  }

  @Test("PSNR and SSIM are those of scikit-image", arguments: SimilarityFixture.all)
  func golden(_ fixture: SimilarityFixture) throws {
    let one = testImage(width: fixture.width, height: fixture.height, phase: fixture.phase)
    let other = noisy(
      testImage(width: fixture.width, height: fixture.height, phase: fixture.otherPhase), seed: fixture.seed,
      spread: fixture.spread)
    let found = FrameSimilarity(one, other)
    let (psnr, ssim) = (try #require(found.psnr), try #require(found.ssim))
    #expect(abs(psnr - fixture.psnr) < 1e-9)
    #expect(abs(ssim - fixture.ssim) < 2e-6, "\(ssim) for \(fixture.ssim)")
    let reversed = FrameSimilarity(other, one)
    #expect(reversed.psnr == found.psnr && abs((reversed.ssim ?? 0) - (found.ssim ?? 1)) < 1e-7)
  }

  @Test("equal pictures have no PSNR and an SSIM of 1; small ones have no SSIM")
  func ends() {
    let image = testImage(width: 20, height: 20)
    let same = FrameSimilarity(image, image)
    #expect(same.isIdentical && same.psnr == nil && same.ssim == 1)
    #expect(StructuralSimilarity(image.luma, image.luma, width: 20, height: 20).mean == 1)
    let small = FrameSimilarity(testImage(width: 10, height: 30), testImage(width: 10, height: 30, phase: 1))
    #expect(small.psnr != nil && small.ssim == nil)
    let clip = ClipSimilarity([same, small])
    #expect(clip.ssim == nil && clip.worstFrame == 1 && !clip.isIdentical)
    #expect(abs((clip.psnr ?? 0) - ((small.psnr ?? 0) + 10 * log10(2))) < 1e-9)
  }

  @Test("a clip is compared frame by frame, whatever the two are written as")
  func clips() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let frames = (0..<7).map { testImage(width: 64, height: 48, phase: $0) }
    var changed = frames
    changed[4] = noisy(frames[4], seed: 3, spread: 9)
    try await write(folder.path("a.png"), frames)
    try await write(folder.path("b.png"), changed)
    try await write(folder.path("a.mp4"), frames)
    let same = try await ClipComparison(folder.path("a.png"), folder.path("a.png"), ffmpeg: ffmpeg).run()
    #expect(same.isIdentical && same.psnr == nil && same.ssim == 1 && same.frames.count == 7)
    var pairs: [(RGBImage, RGBImage)] = []
    let found = try await ClipComparison(folder.path("a.png"), folder.path("b.png"), ffmpeg: ffmpeg).run {
      pairs.append(($0, $1))
    }
    #expect(found.worstFrame == 4 && found.frames.count { $0.isIdentical } == 6)
    #expect(pairs.map(\.0) == frames && pairs.map(\.1) == changed)
    #expect(found.frames[4] == FrameSimilarity(frames[4], changed[4]))
    let coded = try await ClipComparison(folder.path("a.png"), folder.path("a.mp4"), ffmpeg: ffmpeg).run()
    let (psnr, ssim) = (try #require(coded.psnr), try #require(coded.ssim))
    #expect(coded.frames.count == 7 && (25...60).contains(psnr) && (0.8..<1).contains(ssim), "\(psnr), \(ssim)")
  }

  @Test("clips of other sizes, rates and lengths are refused with both")
  func unlike() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let frames = (0..<5).map { testImage(width: 32, height: 32, phase: $0) }
    try await write(folder.path("a.y4m"), frames)
    try await write(folder.path("short.y4m"), Array(frames.prefix(3)))
    try await write(folder.path("slow.y4m"), frames, rate: 12)
    try await write(folder.path("wide.y4m"), frames.map { $0.lanczosResized(width: 48, height: 32) })
    func error(_ name: String, frames: Int? = nil) async -> String {
      do {
        let comparison = try await ClipComparison(
          folder.path("a.y4m"), folder.path(name), ffmpeg: ffmpeg, frames: frames)
        return "\(try await comparison.run().frames.count) frames"
      } catch { return "\(error)" }
    }
    #expect(await error("short.y4m").contains("a.y4m' is 5 frames long, '\(folder.path("short.y4m"))' is 3"))
    #expect(await error("slow.y4m").contains("at 24 frames per second"))
    #expect(await error("wide.y4m").contains("is 32x32, '\(folder.path("wide.y4m"))' is 48x32"))
    #expect(await error("short.y4m", frames: 3) == "3 frames")
    #expect(await error("short.y4m", frames: 4).contains("ends after frame 2, before frame 3"))
  }

  @Test("81 frames of 832x480 are compared in seconds")
  func speed() async {
    let one = testImage(width: 832, height: 480)
    let other = testImage(width: 832, height: 480, phase: 1)
    // What a frame takes the processor, however many others it works for.
    let seconds = processorSeconds { _ = FrameSimilarity(one, other) }
    #expect(seconds < 0.25, "\(seconds) s a frame")
  }

  @Test("VMAF is that of ffmpeg's filter on the two clips")
  func vmaf() async throws {
    guard let name = ProcessInfo.processInfo.environment["WAN_TEST_FFMPEG"], !name.isEmpty,
      let ffmpeg = try? FFmpeg.locate(name, searchPath: nil), try await VMAFMeasure.isAvailable(in: ffmpeg)
    else { return }
    let frames = (0..<4).map { testImage(width: 64, height: 48, phase: $0) }
    func values(_ changed: [RGBImage]) async throws -> [Double] {
      let measure = try VMAFMeasure(width: 64, height: 48, ffmpeg: ffmpeg)
      for (one, other) in zip(frames, changed) { try await measure.take(reference: one, changed: other) }
      return try await measure.finish()
    }
    let same = try await values(frames)
    let other = try await values(frames.map { noisy($0, seed: 1, spread: 60) })
    #expect(same.count == 4 && other.count == 4)
    #expect(zip(same, other).allSatisfy { $0 > $1 && (0...100).contains($0) && (0...100).contains($1) })
  }

  @Test("pictures stand beside each other, and differences grow")
  func pictures() {
    let one = RGBImage(width: 1, height: 2, pixels: [1, 2, 3, 4, 5, 6])
    let other = RGBImage(width: 2, height: 2, pixels: Array(11...22))
    #expect(RGBImage(row: [one, other]).pixels == [1, 2, 3, 11, 12, 13, 14, 15, 16, 4, 5, 6, 17, 18, 19, 20, 21, 22])
    let changed = RGBImage(width: 1, height: 2, pixels: [1, 0, 9, 4, 5, 255])
    #expect(changed.difference(from: one, gain: 10).pixels == [0, 20, 60, 0, 0, 255])
  }
}
