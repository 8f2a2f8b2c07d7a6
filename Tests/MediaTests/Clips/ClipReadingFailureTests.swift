import Foundation
import TestSupport
import Testing

@testable import Media

@Suite("Clips that cannot be read") struct ClipReadingFailureTests {
  private func failure(
    _ path: String, _ ffmpeg: FFmpeg, _ options: ClipReadingOptions = .init(), patience: Duration? = nil
  ) async -> MediaError? {
    do {
      let reader = try await ClipReader(path: path, ffmpeg: ffmpeg, options: options, patience: patience)
      while try await reader.next() != nil {}
      return nil
    } catch { return error }
  }

  private func reason(_ error: MediaError?) -> String {
    if case .cannotReadClip(_, let reason)? = error { reason } else { "\(String(describing: error))" }
  }

  private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

  private func write(_ bytes: [UInt8], _ path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

  private func film(_ path: String, count: Int = 12) async throws {
    let settings = try ClipSettings(width: 64, height: 48, frameRate: 24, frameCount: count)
    let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpegForTests)
    for i in 0..<count { try await writer.write(testImage(width: 64, height: 48, phase: i)) }
    try await writer.finish()
  }

  /// A stand-in for ffmpeg that lists a film of two frames, and then does something else than give them.
  private func script(_ body: String, in folder: TemporaryFolder) throws -> FFmpeg {
    let list = "#tb 0: 1/24\\n#dimensions 0: 4x4\\n0, 0, 0, 1, 9, 0x0\\n0, 1, 1, 1, 9, 0x0\\n"
    let text = "#!/bin/sh\ncase \"$*\" in *framecrc*) printf '\(list)'; exit 0;; esac\n\(body)\n"
    try Data(text.utf8).write(to: folder.url.appendingPathComponent("fake"))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("fake"))
    return try FFmpeg.locate("fake", searchPath: folder.path)
  }

  @Test("what is no film is refused in a sentence")
  func noFilm() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    try write([], folder.path("empty.mp4"))
    try write(Array("just words".utf8), folder.path("text.mp4"))
    try write(Array("#EXTM3U\n/etc/passwd\n".utf8), folder.path("list.m3u8"))
    try write(Array("ffconcat version 1.0\nfile a.mp4\n".utf8), folder.path("list.ffconcat"))
    try write(Array("YUV4MPEG2 W8 H8 F24:1 C444\n".utf8), folder.path("none.y4m"))
    try FileManager.default.createDirectory(atPath: folder.path("folder"), withIntermediateDirectories: false)
    try makePipe(at: folder.path("pipe"))
    try await runFFmpeg(ffmpeg, ["-f", "lavfi", "-i", "sine=duration=1", folder.path("sound.mp4")])
    for (name, words) in [
      ("empty.mp4", "no intact film"), ("text.mp4", "no intact film"), ("list.m3u8", "no intact film"),
      ("list.ffconcat", "no intact film"), ("none.y4m", "holds no frames"), ("folder", "holds no pictures"),
      ("pipe", "neither a file nor a folder"), ("sound.mp4", "holds no pictures, only sound"),
      ("absent.mp4", "no such file, and no numbered pictures such as absent-0001.mp4"), ("absent", "no such file"),
      ("%d.png", "no numbered pictures such as 1.png"),
    ] {
      let found = reason(await failure(folder.path(name), ffmpeg))
      #expect(found.contains(words), "\(name): \(found)")
    }
  }

  @Test("a film that ends early is refused", arguments: ["a.mp4", "a.webm", "a.gif", "a.y4m"], [0.3, 0.7, 0.97])
  func truncated(_ name: String, _ part: Double) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    try await film(folder.path(name))
    let whole = try bytes(folder.path(name))
    try write(Array(whole.prefix(Int(Double(whole.count) * part))), folder.path(name))
    let found = await failure(folder.path(name), ffmpeg)
    #expect(found != nil, "\(name) cut at \(part)")
  }

  @Test("frames that are too large are not decoded")
  func tooLarge() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    try await film(folder.path("a.mp4"), count: 2)
    let small = reason(await failure(folder.path("a.mp4"), ffmpeg, .init(pixelLimit: 3000)))
    #expect(small.contains("64x48, more than 3000 pixels"), "\(small)")
    let size = "W30000 H30000"
    try write(Array("YUV4MPEG2 \(size) F24:1 C420\nFRAME\n".utf8) + [1, 2, 3], folder.path("a.y4m"))
    #expect(await failure(folder.path("a.y4m"), ffmpeg) != nil)
  }

  @Test("a part that is not there is an error that says how much is")
  func parts() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    try await film(folder.path("a.mp4"))
    for (part, words) in [
      (ClipReadingOptions.Part.range(10..<14), "ends after frame 11, before frame 13"),
      (.range(20..<21), "before frame 20"), (.last(13), "12 frames, fewer than the 13"),
      (.last(0), "no such frames"), (.range(3..<3), "no such frames"), (.range(-1..<3), "no such frames"),
    ] {
      let found = await failure(folder.path("a.mp4"), ffmpeg, .init(part: part))
      #expect(found?.description.contains(words) == true, "\(part): \(String(describing: found))")
    }
    #expect(await failure(folder.path("a.mp4"), ffmpeg, .init(frameRate: 0)) != nil)
  }

  @Test("pictures of two sizes are no clip")
  func sizes() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    for (i, width) in [8, 8, 10].enumerated() {
      try await writePNG(path: folder.path("a-\(i).png"), image: testImage(width: width, height: 8), ffmpeg: ffmpeg)
    }
    let found = reason(await failure(folder.path, ffmpeg))
    #expect(found == "its frames are not all of one size: frame 2 is 10x8, the first 8x8")
  }

  @Test(
    "an ffmpeg that does something else is an error",
    arguments: [
      ("sleep 60", "stopped after 1 seconds without a frame"), ("yes words | head -c 100; sleep 60", "no frames"),
      ("printf 'P6\\n4 4\\n255\\n12'", "ends within a frame"), ("yes | head -c 9000000", "no frames"),
      ("printf 'P6\\n99999 99999\\n255\\n12'", "no frames"), ("exit 3", "exited(3)"),
      ("printf 'P6\\n2 1\\n255\\n123456'; echo bad luck >&2", "bad luck"), ("true", "holds no frames"),
      ("kill -9 $$", "signaled(9)"),
    ])
  func strange(_ body: String, _ words: String) async throws {
    let (tools, folder) = (try TemporaryFolder(), try TemporaryFolder())
    try write(Array("film".utf8), folder.path("a.mp4"))
    // Whoever waits for nothing waits so long; a machine with much else to do needs time to start anything.
    let patience = body == "sleep 60" ? 1 : 20
    let found = await failure(
      folder.path("a.mp4"), try script(body, in: tools), patience: .seconds(patience))
    #expect(reason(found).contains(words), "\(reason(found))")
  }

  @Test("a film that nobody reads on with stops its ffmpeg, and a cancelled one says so")
  func stopped() async throws {
    let (tools, folder) = (try TemporaryFolder(), try TemporaryFolder())
    try write(Array("film".utf8), folder.path("a.mp4"))
    let body = "echo $$ >'\(tools.path("pid"))'; printf 'P6\\n1 1\\n255\\n123'; exec sleep 600"
    let ffmpeg = try script(body, in: tools)
    let reading = Task { await failure(folder.path("a.mp4"), ffmpeg) }
    while !tools.contents.contains("pid") { try await Task.sleep(for: .milliseconds(10)) }
    try await Task.sleep(for: .milliseconds(100))
    reading.cancel()
    #expect(await reading.value == .cancelled(path: folder.path("a.mp4")))
    let text = try String(contentsOfFile: tools.path("pid"), encoding: .utf8)
    let pid = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    var isThere = true
    for _ in 0..<200 where isThere {
      isThere = kill(pid, 0) == 0
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(!isThere)
  }

  @Test("damaged films are read or refused, and none hangs", arguments: ["a.mp4", "a.webm", "a.gif", "a.y4m"])
  func damaged(_ name: String) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    try await film(folder.path(name), count: 3)
    let whole = try bytes(folder.path(name))
    var random = SeededGenerator(seed: 5)
    for round in 0..<10 {
      try write(random.damage(whole, within: round % 2 == 0 ? 600 : nil), folder.path("b" + name))
      _ = await failure(folder.path("b" + name), ffmpeg, patience: .seconds(20))
    }
  }

  @Test("20 000 damaged streams of frames give whole frames or an end")
  func streams() {
    var random = SeededGenerator(seed: 6)
    let frame = Array("P6\n3 2\n255\n".utf8) + [UInt8](repeating: 7, count: 18)
    for _ in 0..<20_000 {
      let bytes = random.damage(frame + frame + frame)
      var stream = PixmapStream(pixelLimit: 100)
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(random.next(below: 40) + 1)
        rest = rest.dropFirst(piece.count)
        guard stream.take(piece) else { break }
        while let image = stream.popFirst() { #expect(image.pixels.count <= 300) }
      }
    }
  }

  @Test("10 000 damaged lists of frames are read or refused")
  func listings() {
    var random = SeededGenerator(seed: 7)
    let lines = (0..<6).map { "0, \($0 * 512), \($0 * 512), 512, 99, 0x1" }
    let text = Array(("#tb 0: 1/12288\n#dimensions 0: 8x6\n" + lines.joined(separator: "\n") + "\n").utf8)
    #expect(FilmListing(text, isWhole: true)?.frameRate == 24)
    for _ in 0..<10_000 {
      guard let listing = FilmListing(random.damage(text), isWhole: true) else { continue }
      #expect(listing.width > 0 && listing.height > 0)
      if let rate = listing.frameRate { #expect(rate.value > 0 && rate.value <= 1000) }
    }
  }
}
