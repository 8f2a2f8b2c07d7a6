import Foundation
import Subprocess
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("Where clips go") struct PlaceTests {
    private let folder: TemporaryFolder
    private let short = ["generate", "-p", "a", "--steps", "2", "--frames", "5", "--size", "64x32", "-q"]

    init() throws { folder = try TemporaryFolder() }

    @Test("runs that are started together take different names")
    func names() async throws {
      try await withThrowingTaskGroup(of: CommandResult.self) { group in
        for _ in 0..<3 { group.addTask { try await wan(short, in: folder) } }
        for try await result in group { #expect(result.status.isSuccess, "\(result.errors)") }
      }
      #expect(folder.contents == ["clip-2.mp4", "clip-3.mp4", "clip.mp4"])
    }

    @Test("the home folder's sign is understood in every option")
    func home() async throws {
      try folder.link(model: Folders.nano, as: "model")
      let environment = Environment.hermetic.updating(["HOME": folder.path])
      let elsewhere = try TemporaryFolder()
      let result = try await wan(
        short + [
          "--model=~/model", "--image=~/model/first_frame.png", "--output=~/a.y4m", "--save-tensors=~/a.safetensors",
        ],
        in: elsewhere, environment: environment)
      #expect(result.status.isSuccess, "\(result.errors)")
      #expect(folder.contents == ["a.safetensors", "a.y4m", "model"] && elsewhere.contents.isEmpty)
      #expect(try await wan(["inspect", "~/model"], in: elsewhere, environment: environment).status.isSuccess)
    }

    @Test("a link stays a link, and what it leads to becomes the clip")
    func links() async throws {
      try FileManager.default.createDirectory(atPath: folder.path("real"), withIntermediateDirectories: false)
      try folder.write("real/old.y4m", "old".utf8)
      for (link, destination) in [("a.y4m", "real/old.y4m"), ("b.y4m", "real/new.y4m")] {
        try FileManager.default.createSymbolicLink(atPath: folder.path(link), withDestinationPath: destination)
        #expect(try await wan(short + ["-o", link], in: folder).status.isSuccess)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path(link)) == destination)
        #expect(try folder.bytes(destination).starts(with: "YUV4MPEG2".utf8))
      }
      #expect(try folder.allContents() == ["a.y4m", "b.y4m", "real", "real/new.y4m", "real/old.y4m"])
    }

    @Test("a shorter set of pictures takes the place of a longer one")
    func sets() async throws {
      _ = try await wan(short + ["-o", "a.png", "--frames", "9"], in: folder)
      #expect(folder.contents == (1...9).map { "a-000\($0).png" })
      let result = try await wan(short.dropLast() + ["-o", "a.png", "--seed", "8"], in: folder)
      #expect(result.errors.contains("output   a.png, and the older set's last 4 pictures go"), "\(result.errors)")
      #expect(folder.contents == (1...5).map { "a-000\($0).png" })
    }

    @Test("a picture of the older set is not removed by the run that starts from it")
    func ownPicture() async throws {
      for number in 1...9 {
        try FileManager.default.copyItem(atPath: Folders.picture, toPath: folder.path("a-000\(number).png"))
      }
      let result = try await wan(short + ["-i", "a-0007.png", "-o", "a.png"], in: folder)
      #expect(result.status == .exited(1) && result.errors.contains("a-0007.png"), "\(result.errors)")
      #expect(folder.contents == (1...9).map { "a-000\($0).png" })
    }

    @Test("what a killed run leaves is taken away by the next one", arguments: ["y4m", "png", "mp4"])
    func kill(_ format: String) async throws {
      let arguments = ["generate", "-p", "a", "--steps", "1", "--frames", "81", "-o", "a.\(format)"]
      let killed = try await run(
        configuration(BuiltCommand.path(), arguments.map { Array($0.utf8) }, in: folder), input: .none,
        output: .discarded, error: .sequence
      ) { execution in
        var told = ""
        for try await buffer in execution.standardError {
          // SAFETY: the bytes are copied before the closure ends.
          told += String(decoding: unsafe buffer.withUnsafeBytes { unsafe Array($0) }, as: UTF8.self)
          if told.contains("decoding") { try execution.send(signal: .kill) }
        }
      }
      #expect(killed.terminationStatus == .signaled(SIGKILL))
      #expect(folder.contents.contains { $0.hasSuffix(".partial") }, "\(folder.contents)")
      let result = try await wan(short + ["-o", "b.y4m"], in: folder)
      #expect(result.status.isSuccess && folder.contents == ["b.y4m"], "\(folder.contents)")
    }

    @Test(
      "another user's file in a shared folder is found before the run",
      .enabled("needs root, setpriv and folders open to all") { await canBecomeNobody() })
    func sticky() async throws {
      try FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: folder.path)
      try folder.write("a.mp4", "mine".utf8)
      let command = ["--reuid=65534", "--clear-groups", try BuiltCommand.path()] + short + ["-o", "a.mp4"]
      let result = try await runCommand("setpriv", command.map { Array($0.utf8) }, in: folder)
      #expect(result.status == .exited(1) && result.errors.contains("another user"), "\(result.errors)")
      #expect(try folder.bytes("a.mp4") == Array("mine".utf8) && folder.contents == ["a.mp4"])
    }

    private static func canBecomeNobody() async -> Bool {
      guard let folder = try? TemporaryFolder(), let path = try? BuiltCommand.path() else { return false }
      let command = ["--reuid=65534", "--clear-groups", path, "--version"].map { Array($0.utf8) }
      return (try? await runCommand("setpriv", command, in: folder).status.isSuccess) ?? false
    }
  }
}
