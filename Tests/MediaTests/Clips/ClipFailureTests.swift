import Foundation
import Media
import TestSupport
import Testing

@Suite("Clips that fail") struct ClipFailureTests {
  private let frame = testImage(width: 64, height: 48)

  private func settings(_ count: Int = 5) throws -> ClipSettings {
    try ClipSettings(width: 64, height: 48, frameRate: 24, frameCount: count)
  }

  /// A stand-in for ffmpeg.
  private func script(_ body: String, in folder: TemporaryFolder) throws -> FFmpeg {
    let path = folder.path("fake")
    try Data("#!/bin/sh\n\(body)\n".utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return try FFmpeg.locate("fake", searchPath: "/nowhere::relative:" + folder.url.path)
  }

  private func error(_ body: () async throws -> Void) async -> MediaError? {
    do {
      try await body()
      return nil
    } catch { return error as? MediaError }
  }

  @Test(
    "an unknown extension lists the known ones", arguments: ["clip.avi", "clip", "mp4", ".mp4", "a.mp4/b", "", "a."])
  func unknownFormat(_ path: String) {
    let error = #expect(throws: MediaError.self) { try ClipFormat(path: path) }
    #expect(error?.description.contains(".mp4 .webm .gif .png .y4m") == true)
  }

  @Test("a missing ffmpeg says what to install", arguments: [nil, "", "/nowhere:/dev/null", "relative/bin"])
  func missingFFmpeg(_ searchPath: String?) {
    let error = #expect(throws: MediaError.self) { try FFmpeg.locate(searchPath: searchPath) }
    #expect(error?.description.contains("apt install ffmpeg") == true)
  }

  @Test(
    "a target that cannot be is refused before any frame", arguments: ["/nowhere/clip", "/proc/clip", "/dev/null/clip"])
  func badFolder(_ stem: String) async throws {
    let ffmpeg = try requireFFmpeg()
    for suffix in ["mp4", "y4m"] {
      let found = await error {
        _ = try await ClipWriter(path: "\(stem).\(suffix)", settings: settings(), ffmpeg: ffmpeg)
      }
      guard case .cannotWrite = found else {
        Issue.record("\(String(describing: found))")
        continue
      }
    }
  }

  @Test("a target that is a folder is refused")
  func folderAsTarget() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path("a.y4m"), withIntermediateDirectories: false)
    let found = await error { _ = try await ClipWriter(path: folder.path("a.y4m"), settings: settings(), ffmpeg: nil) }
    #expect(found == .cannotWrite(path: folder.path("a.y4m"), reason: "it is a folder"))
    #expect(folder.contents == ["a.y4m"])
  }

  @Test("settings that no clip can have are refused")
  func badSettings() {
    for (width, height, rate, count) in [
      (0, 8, FrameRate(24), 1), (8, -1, 24, 1), (8, 8, FrameRate(.nan), 1), (8, 8, FrameRate(-1.0), 1), (8, 8, 24, 0),
      (8, 8, FrameRate(.infinity), 1), (1 << 40, 8, 24, 1), (8, 8, FrameRate(1, over: 0), 1),
    ] {
      #expect(throws: MediaError.self) {
        try ClipSettings(width: width, height: height, frameRate: rate, frameCount: count)
      }
    }
  }

  @Test("an ffmpeg that dies gives its last words, and nothing stays", arguments: ["mp4", "png", "gif"])
  func dyingFFmpeg(_ suffix: String) async throws {
    let (tools, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let ffmpeg = try script("head -c 1000 >/dev/null; echo 'No space left on device' >&2; exit 28", in: tools)
    let found = await error {
      let settings = try ClipSettings(width: 64, height: 48, frameRate: 24, frameCount: 500)
      let writer = try await ClipWriter(path: folder.path("a." + suffix), settings: settings, ffmpeg: ffmpeg)
      for _ in 0..<500 { try await writer.write(frame) }
      try await writer.finish()
    }
    #expect(found?.description.contains("No space left on device") == true, "\(String(describing: found))")
    #expect(folder.contents == [])
  }

  @Test("an ffmpeg that floods its log is read to the end in little memory")
  func floodingFFmpeg() async throws {
    let (tools, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let ffmpeg = try script("yes noise | head -c 420000 >&2; echo last words >&2; exit 3", in: tools)
    let found = await error {
      let writer = try await ClipWriter(path: folder.path("a.mp4"), settings: settings(), ffmpeg: ffmpeg)
      for _ in 0..<5 { try await writer.write(frame) }
      try await writer.finish()
    }
    guard case .ffmpegFailed(_, _, let log) = found else {
      Issue.record("\(String(describing: found))")
      return
    }
    #expect(log.count <= 6 && log.last == "last words", "\(String(describing: found))")
    #expect(folder.contents == [])
  }

  @Test("an ffmpeg that cannot start is an error at once")
  func unstartableFFmpeg() async throws {
    let (tools, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let ffmpeg = try script("exit", in: tools)
    try FileManager.default.removeItem(atPath: tools.path("fake"))
    let found = await error {
      _ = try await ClipWriter(path: folder.path("a.mp4"), settings: settings(), ffmpeg: ffmpeg)
    }
    guard case .ffmpegFailed = found else {
      Issue.record("\(String(describing: found))")
      return
    }
    #expect(folder.contents == [])
  }

  @Test("wrong frames close the writer", arguments: ["mp4", "y4m"])
  func wrongFrames(_ suffix: String) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let path = folder.path("a." + suffix)
    for scenario in 0..<3 {
      let writer = try await ClipWriter(path: path, settings: settings(2), ffmpeg: ffmpeg)
      let found = await error {
        try await writer.write(frame)
        switch scenario {
        case 0: try await writer.write(testImage(width: 48, height: 64))
        case 1: try await writer.finish()
        default: for _ in 0..<2 { try await writer.write(frame) }
        }
      }
      guard case .badFrame = found else {
        Issue.record("\(String(describing: found))")
        continue
      }
      #expect(folder.contents == [])
      #expect(await error { try await writer.finish() } == .cancelled(path: path))
    }
  }

  @Test("cancel, a cancelled task and a dropped writer leave nothing", arguments: ["mp4", "webm", "png", "gif", "y4m"])
  func cancels(_ suffix: String) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let path = folder.path("a." + suffix)
    let settings = try settings(1000)
    do {
      let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpeg)
      try await writer.write(frame)
      await writer.cancel()
      #expect(folder.contents == [])
    }
    let (started, start) = AsyncStream<Void>.makeStream()
    let task = Task { [frame] in
      let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpeg)
      for i in 0..<1000 {
        if i == 10 {
          start.finish()
          try? await Task.sleep(for: .seconds(600))  // Ended by the cancellation.
        }
        try await writer.write(frame)
      }
      try await writer.finish()
    }
    for await _ in started {}
    task.cancel()
    guard case .failure = await task.result else {
      Issue.record("the task finished before it was cancelled")
      return
    }
    #expect(folder.contents == [])
    do {
      let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpeg)
      try await writer.write(frame)
    }
    try await Task.sleep(for: .milliseconds(300))
    #expect(folder.contents == [])
  }

  @Test("an encoder that never reads is stopped by cancellation")
  func stuckEncoder() async throws {
    let (tools, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let ffmpeg = try script("exec sleep 1000", in: tools)
    let settings = try settings(1000)
    let task = Task { [frame] in
      let writer = try await ClipWriter(path: folder.path("a.mp4"), settings: settings, ffmpeg: ffmpeg)
      for _ in 0..<1000 { try await writer.write(frame) }
    }
    try await Task.sleep(for: .milliseconds(100))
    task.cancel()
    let result = await task.result
    #expect(throws: MediaError.cancelled(path: folder.path("a.mp4"))) { try result.get() }
    #expect(folder.contents == [])
  }

  @Test(
    "an ffmpeg that reports an error and goes on, or leaves less than it was given, has failed",
    arguments: [
      ("cat >/dev/null; echo 'No space left on device' >&2", "No space left on device"),
      ("cat >/dev/null", "read back"), ("cat >/dev/null; for f; do :; done; : >\"${f#file:}\"", "read back"),
    ])
  func silentFailure(_ body: String, _ says: String) async throws {
    let real = try requireFFmpeg().path
    let (tools, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let ffmpeg = try script("case \"$*\" in *rawvideo*) \(body);; *) exec '\(real)' \"$@\";; esac", in: tools)
    for suffix in ["mp4", "webm", "gif", "png"] {
      let found = await error {
        _ = try await ClipWriter(path: folder.path("a." + suffix), settings: settings(), ffmpeg: ffmpeg)
      }
      #expect(found?.description.contains(says) == true, "\(suffix): \(String(describing: found))")
      #expect(folder.contents == [])
    }
  }

  @Test("an encoder that dies between two frames is told at the next one")
  func deathBetweenFrames() async throws {
    let real = try requireFFmpeg().path
    let (tools, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let once = "[ -e \"$0.tried\" ] || { : >\"$0.tried\"; exec '\(real)' \"$@\"; }; "
    let dying = once + "head -c 100 >/dev/null; echo 'last words' >&2; : >\"$0.died\"; exit 1"
    let ffmpeg = try script("case \"$*\" in *rawvideo*) \(dying);; *) exec '\(real)' \"$@\";; esac", in: tools)
    let writer = try await ClipWriter(path: folder.path("a.mp4"), settings: settings(100), ffmpeg: ffmpeg)
    try await writer.write(frame)
    while !FileManager.default.fileExists(atPath: tools.path("fake.died")) {
      try await Task.sleep(for: .milliseconds(20))
    }
    // A moment may pass between its last act and its end; the pipe holds few frames.
    var found: MediaError?
    for _ in 0..<20 where found == nil {
      found = await error { try await writer.write(frame) }
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(found?.description.contains("last words") == true, "\(String(describing: found))")
    #expect(folder.contents == [])
  }

  @Test("an encoder that never ends its trial is stopped by cancellation with all that it started")
  func hangingEncoder() async throws {
    let (tools, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let ffmpeg = try script(": >\"$0.started\"; sleep 987 & wait", in: tools)
    let task = Task { [settings = try settings(5)] in
      _ = try await ClipWriter(path: folder.path("a.mp4"), settings: settings, ffmpeg: ffmpeg)
    }
    while !FileManager.default.fileExists(atPath: tools.path("fake.started")) {
      try await Task.sleep(for: .milliseconds(20))
    }
    task.cancel()
    await #expect(throws: MediaError.cancelled(path: folder.path("a.mp4"))) { try await task.value }
    #expect(folder.contents == [])
  }

  @Test("a finished clip that cannot take its name is kept beside it", arguments: ["mp4", "gif", "png", "y4m"])
  func keepsClip(_ suffix: String) async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let settings = try settings(1)
    let writer = try await ClipWriter(path: folder.path("a." + suffix), settings: settings, ffmpeg: ffmpeg)
    try await writer.write(frame)
    try FileManager.default.createDirectory(atPath: folder.path("a.\(suffix)/b"), withIntermediateDirectories: true)
    let found = await error { try await writer.finish() }
    guard case .keptElsewhere(_, let place, _) = found else {
      Issue.record("\(String(describing: found))")
      return
    }
    #expect(place == folder.path("a-kept." + suffix))
    #expect(folder.contents == ["a-kept." + suffix, "a." + suffix])
    #expect(try await firstFrame(path: place, ffmpeg: ffmpeg).width == 64)
  }

  @Test("a set of pictures one of which cannot take its name is kept in a folder, and the older set stays")
  func keepsSet() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    for number in [1, 2, 4] { try Data("old".utf8).write(to: URL(fileURLWithPath: folder.path("a-000\(number).png"))) }
    let writer = try await ClipWriter(path: folder.path("a.png"), settings: settings(3), ffmpeg: ffmpeg)
    for _ in 0..<3 { try await writer.write(frame) }
    try FileManager.default.createDirectory(atPath: folder.path("a-0003.png/b"), withIntermediateDirectories: true)
    let found = await error { try await writer.finish() }
    guard case .keptElsewhere(_, let place, _) = found else {
      Issue.record("\(String(describing: found))")
      return
    }
    #expect(place == folder.path("a-kept"))
    let expected = (1...4).map { "a-000\($0).png" }
    #expect(folder.contents == ["a-0001.png", "a-0002.png", "a-0003.png", "a-0004.png", "a-kept"], "\(expected)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: place).sorted() == Array(expected.prefix(3)))
    for number in [1, 2, 4] {
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path("a-000\(number).png"))) == Data("old".utf8))
    }
  }

  @Test("a comment is whole whatever stands behind its backslashes, and frames that do not change count")
  func bytesOfComments() async throws {
    let ffmpeg = try requireFFmpeg()
    let folder = try TemporaryFolder()
    let comment = "{\"a\": \"\\\u{301}; =\u{20DD} #\u{301}\\\"}\n\u{308}x\r\ny"
    for suffix in ["mp4", "webm", "gif", "png"] {
      let path = folder.path("a." + suffix)
      let settings = try ClipSettings(
        width: 64, height: 48, frameRate: 24, frameCount: suffix == "png" ? 1 : 5, metadata: comment)
      let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpeg)
      for _ in 0..<settings.frameCount { try await writer.write(frame) }
      #expect(try await writer.finish() == [])
      let read = try await readComment(path: path, ffmpeg: ffmpeg)
      #expect(read.map { Array($0.utf8) } == Array(comment.replacing("\r\n", with: "\n").utf8), "\(suffix)")
    }
  }
}
