import Files
import Foundation
import Tensors
import TestSupport
import Testing

struct FolderNamesTests {
  @Test func `a folder's names come sorted, without itself and the one above`() throws {
    let folder = try TemporaryFolder()
    for name in ["b", ".a", "é", String(repeating: "n", count: 255)] {
      try Data().write(to: folder.url.appendingPathComponent(name))
    }
    let listing = try FolderNames(path: folder.path)
    #expect(listing.names == folder.contents && listing.names.count == 4 && listing.illegible.isEmpty)
  }

  @Test func `a name that is not UTF-8 is never changed into another`() throws {
    let folder = try TemporaryFolder()
    try folder.makeFile(named: Array("caf".utf8) + [0xE9] + Array("é.txt".utf8) + [0xFF])
    let listing = try FolderNames(path: folder.path)
    #expect(listing.names.isEmpty && listing.illegible == ["caf\\xE9é.txt\\xFF"])
  }

  @Test func `what is no folder fails with the system's reason`() throws {
    let folder = try TemporaryFolder()
    let absent = try #require(throws: FileError.self) { _ = try FolderNames(path: folder.path("none")) }
    #expect(absent.reason == "No such file or directory" && absent.operation == "list")
    try Data().write(to: folder.url.appendingPathComponent("file"))
    let file = try #require(throws: FileError.self) { _ = try FolderNames(path: folder.path("file")) }
    #expect(file.reason == "Not a directory")
  }
}
