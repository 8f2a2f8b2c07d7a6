import Foundation
import Subprocess
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("On a terminal") struct TerminalTests {
    @Test(
      "a bar shows steps, seconds per step and frames",
      .enabled("needs script of util-linux") {
        await hasCommand("script")
      })
    func bar() async throws {
      let folder = try TemporaryFolder()
      let command = try BuiltCommand.path() + " generate -p a --steps 3 --frames 5 --size 32x32 -o a.y4m"
      let result = try await runCommand("script", ["-qec", command, "/dev/null"].map { Array($0.utf8) }, in: folder)
      #expect(result.status.isSuccess, "\(result.output)")
      for part in [
        "\rsampling [########----------------] 1/3", "3/3", " s/step", " left", "\rdecoding [", "5/5 frames",
      ] {
        #expect(result.output.contains(part), "\(part) is not in \(result.output)")
      }
      #expect(result.output.contains("wrote a.y4m in "))
      #expect(folder.contents == ["a.y4m"])
    }

    @Test(
      "a bar is no wider than the terminal", .enabled("needs script of util-linux") { await hasCommand("script") },
      arguments: [20, 45])
    func narrow(_ columns: Int) async throws {
      let folder = try TemporaryFolder()
      let command =
        "stty cols \(columns); " + (try BuiltCommand.path())
        + " generate -p a --steps 3 --frames 5 --size 32x32 -o a.y4m"
      let result = try await runCommand("script", ["-qec", command, "/dev/null"].map { Array($0.utf8) }, in: folder)
      #expect(result.status.isSuccess, "\(result.output)")
      let drawn = result.output.split(whereSeparator: { $0 == "\r" || $0 == "\n" || $0 == "\r\n" })
      let bars = drawn.filter { $0.hasPrefix("sampling [") || $0.hasPrefix("decoding [") }
      #expect(bars.count >= 4 && bars.allSatisfy { $0.count < columns }, "\(bars)")
    }
  }
}
