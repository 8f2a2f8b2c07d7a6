import Files
import Foundation
import Tensors
import TestSupport
import Testing

struct OutputFileTests {
  private func write(_ text: String, to path: String) throws {
    let file = try OutputFile(path: path)
    try file.write(Array(text.utf8).span)
    try file.commit()
  }

  private func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }

  @Test("the target appears at commit, beside it nothing stays")
  func commit() throws {
    let folder = try TemporaryFolder()
    let file = try OutputFile(path: folder.path("a.bin"))
    try file.write([1, 2, 3].span)
    #expect(!folder.contents.contains("a.bin"))
    let name = try #require(folder.contents.first)
    #expect(try /\.a\.bin\.[0-9a-f]{8}\.partial/.wholeMatch(in: name) != nil)
    #expect(file.temporaryPath == folder.path(name))
    try file.commit()
    #expect(folder.contents == ["a.bin"])
    #expect(try Data(contentsOf: folder.url.appendingPathComponent("a.bin")) == Data([1, 2, 3]))
  }

  @Test("dropped before its commit, a file leaves what was there")
  func dropped() throws {
    let folder = try TemporaryFolder()
    try write("old", to: folder.path("a"))
    do {
      let file = try OutputFile(path: folder.path("a"))
      try file.write([1].span)
      try file.finish()
    }
    #expect(folder.contents == ["a"])
    #expect(try text(folder.path("a")) == "old")
  }

  @Test("two writers of one target have files of their own, and the last to commit stays")
  func two() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (try OutputFile(path: folder.path("a")), try OutputFile(path: folder.path("a")))
    #expect(first.temporaryPath != second.temporaryPath)
    try first.write(Array("first".utf8).span)
    try second.write(Array("second".utf8).span)
    try second.commit()
    try first.commit()
    #expect(try text(folder.path("a")) == "first")
    #expect(folder.contents == ["a"])
  }

  @Test("names up to what the file system takes can be written", arguments: [1, 236, 237, 238, 254, 255])
  func longNames(length: Int) throws {
    let folder = try TemporaryFolder()
    let name = String(repeating: "n", count: length)
    try write("x", to: folder.path(name))
    #expect(folder.contents == [name])
  }

  @Test("a long name of wide letters is cut between letters", arguments: 0...3)
  func wideNames(offset: Int) throws {
    let folder = try TemporaryFolder()
    let name = String(repeating: "n", count: offset) + String(repeating: "猫", count: 84)
    let file = try OutputFile(path: folder.path(name))
    #expect(try #require(folder.contents.first).utf8.count <= 255)
    try file.commit()
    #expect(folder.contents == [name])
  }

  @Test("a name that is too long is refused at once")
  func tooLong() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FileError.self) { _ = try OutputFile(path: folder.path(String(repeating: "n", count: 256))) }
    #expect(folder.contents.isEmpty)
  }

  @Test("a link stays, and what it points to is replaced", arguments: ["target", "inner/target", "absolute"])
  func links(kind: String) throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path("inner"), withIntermediateDirectories: true)
    let target = kind == "absolute" ? folder.path("inner/target") : kind
    let link = folder.path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    try FileManager.default.createSymbolicLink(atPath: folder.path("second"), withDestinationPath: "link")
    // The first writing makes the file that the link points to, the second replaces it.
    for text in ["one", "two"] {
      try write(text, to: folder.path("second"))
      #expect(try self.text(link) == text)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
    }
    #expect(try folder.allContents().filter { $0.contains("partial") } == [])
  }

  @Test("links in a ring, folders, pipes and devices are refused, and nothing is left")
  func refused() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(atPath: folder.path("a"), withDestinationPath: "b")
    try FileManager.default.createSymbolicLink(atPath: folder.path("b"), withDestinationPath: "a")
    try FileManager.default.createDirectory(atPath: folder.path("inner"), withIntermediateDirectories: true)
    #expect(unsafe mkfifo(folder.path("pipe"), 0o600) == 0)
    for name in ["a", "inner", "pipe", "missing/file", "new/"] {
      let error = #expect(throws: FileError.self, "\(name)") {
        _ = try OutputFile(path: folder.path + "/" + name)
      }
      #expect(error?.path == folder.path + "/" + name)
    }
    #expect(throws: FileError.self) { _ = try OutputFile(path: "/dev/null") }
    #expect(folder.contents == ["a", "b", "inner", "pipe"])
  }

  @Test("the temporary is locked while its writer lives, and free once it is gone")
  func locked() throws {
    let folder = try TemporaryFolder()
    var file: OutputFile? = try OutputFile(path: folder.path("a"))
    let other = unsafe open(try #require(file).temporaryPath, O_RDONLY)
    defer { close(other) }
    #expect(flock(other, LOCK_EX | LOCK_NB) != 0)
    file = nil
    #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
    #expect(folder.contents.isEmpty)
  }

  @Test("a file past the limit for the process is an error, and the process goes on")
  func fileSizeLimit() async throws {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      var limit = rlimit(rlim_cur: 10_000, rlim_max: 10_000)
      #if os(Linux)
        unsafe setrlimit(__rlimit_resource_t(1), &limit)  // RLIMIT_FSIZE
      #else
        unsafe setrlimit(RLIMIT_FSIZE, &limit)
      #endif
      let file = try OutputFile(path: folder.path("a"))
      let bytes = [UInt8](repeating: 7, count: 20_000)
      let error = #expect(throws: FileError.self) { try file.write(bytes.span) }
      guard error?.operation == "write" else { exit(3) }
    }
  }
}
