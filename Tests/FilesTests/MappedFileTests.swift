import Files
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Mapped files")
struct MappedFileTests {
  private func refusal(of path: String) throws -> String {
    try #require(throws: FileError.self) { _ = try MappedFile(path: path) }.description
  }

  @Test("hold a file's bytes, of an empty file none")
  func regular() throws {
    let folder = try TemporaryFolder()
    try Data([1, 2, 3]).write(to: folder.url.appendingPathComponent("a"))
    try Data().write(to: folder.url.appendingPathComponent("b"))
    #expect(try MappedFile(path: folder.path("a")).bytes(in: 1..<3) == [2, 3])
    #expect(try MappedFile(path: folder.path("b")).byteCount == 0)
  }

  @Test("are never pipes, folders or devices, which are named and not waited for")
  func others() throws {
    let folder = try TemporaryFolder()
    try makePipe(at: folder.path("pipe"))
    try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: "pipe")
    #expect(
      try refusal(of: folder.path("pipe"))
        == "\(folder.path("pipe")): cannot open: it is a named pipe, not a regular file")
    #expect(try refusal(of: folder.path("link")).contains("it is a named pipe, not a regular file"))
    #expect(try refusal(of: folder.path).contains("it is a folder, not a regular file"))
    #expect(try refusal(of: "/dev/zero").contains("it is a device, not a regular file"))
    #expect(try refusal(of: folder.path("none")).contains("cannot open: No such file"))
  }
}
