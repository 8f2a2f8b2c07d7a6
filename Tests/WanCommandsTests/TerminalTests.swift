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
  }
}
