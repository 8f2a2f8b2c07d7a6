import Foundation
import Subprocess
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("The bundled model's place") struct BundledModelPlaceTests {
    /// A folder with a copy of the command, as it is installed, in `prefix/bin`.
    private func prefix() throws -> TemporaryFolder {
      let folder = try TemporaryFolder()
      let files = FileManager.default
      try files.createDirectory(atPath: folder.path("prefix/bin"), withIntermediateDirectories: true)
      try files.copyItem(atPath: BuiltCommand.path(), toPath: folder.path("prefix/bin/wan"))
      return folder
    }

    /// The folder that a run in `folder` takes its model from, or what it says instead.
    private func model(of command: String, in folder: TemporaryFolder) async throws -> String {
      let arguments = ["generate", "-p", "a", "--steps", "1", "--frames", "1", "--size", "32x32", "-o", "a.png"]
      let result = try await runCommand(command, arguments.map { Array($0.utf8) }, in: folder)
      let line = (result.outputLines + result.errorLines).first { $0.hasPrefix("model ") || $0.hasPrefix("Error") }
      return String(line ?? "")
    }

    @Test("an installed command's own model comes before what lies around the working folder")
    func installed() async throws {
      let folder = try prefix()
      let own = try folder.link(model: Folders.nano, as: "prefix/share/swift-wan/nano-ti2v")
      try folder.link(model: Folders.nano, as: "prefix/Models/nano-ti2v", without: ["config.json"])
      try folder.write("prefix/Models/nano-ti2v/config.json", "planted".utf8)
      try folder.link(model: Folders.golden("ti2v"), as: "Models/nano-ti2v")
      #expect(try await model(of: folder.path("prefix/bin/wan"), in: folder).hasSuffix("(\(own))"))

      try FileManager.default.createSymbolicLink(
        atPath: folder.path("linked"), withDestinationPath: folder.path("prefix/bin/wan"))
      #expect(try await model(of: folder.path("linked"), in: folder).hasSuffix("(\(own))"))
    }

    @Test("a command without a model takes that of the checkout it is run in")
    func checkout() async throws {
      let folder = try prefix()
      #expect(try await model(of: folder.path("prefix/bin/wan"), in: folder).contains("name a model with --model"))
      let own = try folder.link(model: Folders.nano, as: "Models/nano-ti2v")
      #expect(try await model(of: folder.path("prefix/bin/wan"), in: folder).hasSuffix("(\(own))"))
    }

    @Test("a model that another user left above a folder is not taken", .enabled(if: geteuid() == 0, "needs root"))
    func planted() async throws {
      let folder = try prefix()
      let planted = try folder.link(model: Folders.nano, as: "Models/nano-ti2v")
      try FileManager.default.setAttributes([.ownerAccountID: NSNumber(value: 65534)], ofItemAtPath: planted)
      #expect(try await model(of: folder.path("prefix/bin/wan"), in: folder).contains("name a model with --model"))
    }
  }
}
