import Files
import Foundation
import Subprocess
import TestSupport
import Testing

@Suite("Where a file may go") struct TargetTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func refusal(_ path: String) -> String? {
    do {
      try OutputTarget(path).check()
      return nil
    } catch { return error.description }
  }

  private func write(_ name: String) throws { try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path(name))) }

  private func link(_ name: String, to destination: String) throws {
    try FileManager.default.createSymbolicLink(atPath: folder.path(name), withDestinationPath: destination)
  }

  private func shell(_ command: String) async throws -> Bool {
    try await run(.name("sh"), arguments: ["-c", command, "sh", folder.path], output: .discarded).terminationStatus
      .isSuccess
  }

  @Test("new names and plain files are fine")
  func fine() throws {
    try write("a.mp4")
    for name in ["a.mp4", "b.mp4", String(repeating: "x", count: 255)] { #expect(refusal(folder.path(name)) == nil) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.mp4"])
  }

  @Test("links are followed, to what is there and to what is not")
  func links() throws {
    try write("a.mp4")
    try link("to-a.mp4", to: "a.mp4")
    try link("to-new.mp4", to: folder.path("new.mp4"))
    try link("twice.mp4", to: "to-a.mp4")
    try link("to-folder.mp4", to: ".")
    try link("circle.mp4", to: "circle.mp4")
    #expect(try OutputTarget(folder.path("twice.mp4")).path == folder.path("a.mp4"))
    #expect(try OutputTarget(folder.path("to-new.mp4")).path == folder.path("new.mp4"))
    #expect(refusal(folder.path("twice.mp4")) == nil && refusal(folder.path("to-new.mp4")) == nil)
    #expect(refusal(folder.path("to-folder.mp4")) == "it is a folder")
    #expect(refusal(folder.path("circle.mp4"))?.contains("circle") == true)
  }

  @Test("a link to a name that is not UTF-8 is refused, not mended")
  func foreignLink() async throws {
    #expect(try await shell("cd \"$1\" && ln -s \"$(printf '\\377.mp4')\" l.mp4"))
    #expect(refusal(folder.path("l.mp4"))?.contains("not UTF-8") == true)
  }

  @Test("what a rename would destroy or cannot replace is refused")
  func kinds() async throws {
    #expect(try await shell("mkfifo \"$1/pipe\""))
    #expect(refusal(folder.path("pipe"))?.contains("pipe") == true)
    #expect(refusal("/dev/null")?.contains("device") == true)
    #expect(refusal(folder.path) == "it is a folder")
    #expect(refusal(folder.path + "/none/a")?.contains("create it first") == true)
    #expect(refusal(folder.path(String(repeating: "é", count: 128)))?.contains("256 bytes") == true)
    #expect(refusal(folder.path + "/") != nil && refusal("") != nil)
  }

  @Test("immutable files and folders are refused", .enabled("needs chattr") { await canFix() })
  func immutable() async throws {
    try write("a")
    for (flag, name) in [("i", "a"), ("a", "a"), ("i", "."), ("a", ".")] {
      #expect(try await shell("chattr +\(flag) \"$1/\(name)\""))
      let told = refusal(folder.path("a"))
      #expect(try await shell("chattr -\(flag) \"$1/\(name)\""))
      #expect(told?.contains("immutable or append-only") == true, "\(flag) \(name): \(told ?? "")")
    }
  }

  /// Whether this user may set what `chattr` sets, where the tests' folders lie.
  private static func canFix() async -> Bool {
    guard let folder = try? TemporaryFolder() else { return false }
    let command = "cd \"$1\" && touch a && chattr +i a && chattr -i a"
    let result = try? await run(.name("sh"), arguments: ["-c", command, "sh", folder.path], output: .discarded)
    return result?.terminationStatus.isSuccess == true
  }
}

@Suite("Text that nobody reads") struct TextStreamTests {
  /// A pipe that the test holds both ends of.
  private struct Pipe {
    let reading, writing: FileHandle

    init() {
      let pipe = Foundation.Pipe()
      (reading, writing) = (pipe.fileHandleForReading, pipe.fileHandleForWriting)
    }
  }

  @Test("is dropped when the reader is gone, without a signal")
  func brokenPipe() throws {
    let pipe = Pipe()
    let stream = TextStream(pipe.writing.fileDescriptor)
    stream.write("first\n")
    #expect(stream.failure == nil)
    try pipe.reading.close()
    stream.write("second\n")
    stream.write("third\n")
    #expect(stream.failure == "Broken pipe")
  }

  @Test("is dropped when the pipe is full, after its patience once, and whole lines follow when it is read")
  func fullPipe() throws {
    let pipe = Pipe()
    let stream = TextStream(pipe.writing.fileDescriptor, patience: 200)
    let line = String(repeating: "x", count: 99) + "\n"
    let started = ContinuousClock.now
    for _ in 0..<5000 { stream.write(line) }
    let waited = ContinuousClock.now - started
    #expect(waited >= .milliseconds(200) && waited < .seconds(5))
    #expect(stream.failure != nil)
    let first = pipe.reading.availableData
    #expect(first.count < 500_000)
    stream.write("last\n")
    try pipe.writing.close()
    let rest = try #require(try pipe.reading.readToEnd())
    #expect(String(decoding: first + rest, as: UTF8.self).hasSuffix("\nlast\n"))
  }

  @Test(
    "on a terminal is dropped too, though a terminal calls itself ready for a single byte",
    .enabled("needs pseudo-terminals as Linux has them") { FileManager.default.fileExists(atPath: "/dev/ptmx") })
  func terminal() throws {
    let master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
    // The two requests of Linux that unlock a new terminal and tell its number.
    var (unlocked, number): (Int32, Int32) = (0, 0)
    #expect(unsafe ioctl(master, 0x4004_5431, &unlocked) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
    let name = "/dev/pts/\(number)"
    let slave = unsafe open(name, O_RDWR | O_NOCTTY)
    defer { for descriptor in [slave, master] { close(descriptor) } }
    let stream = TextStream(slave, patience: 200)
    let started = ContinuousClock.now
    for _ in 0..<2000 { stream.write(String(repeating: "x", count: 300) + "\n") }
    #expect(ContinuousClock.now - started < .seconds(60) && stream.failure != nil)
  }

  @Test("is waited for where it is a result")
  func result() throws {
    let pipe = Pipe()
    let stream = TextStream(pipe.writing.fileDescriptor, patience: 10)
    let text = String(repeating: "x", count: 300_000)
    let thread = Thread {
      stream.deliver(text)
      try? pipe.writing.close()
    }
    thread.start()
    Thread.sleep(forTimeInterval: 0.3)
    #expect(try pipe.reading.readToEnd()?.count == 300_000)
    #expect(stream.failure == nil)
  }

  @Test("says why it was dropped")
  func fullDevice() throws {
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    let stream = TextStream(full.fileDescriptor)
    stream.write("text\n")
    #expect(stream.failure == "No space left on device")
    #expect(TextStream(-1).failure == nil)
    // No process has so many.
    let closed = TextStream(.max)
    closed.write("text\n")
    #expect(closed.failure == "Bad file descriptor")
  }
}
