import Foundation
import Subprocess
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("Ctrl-C") struct InterruptionTests {
    /// A run that is stopped, and when.
    struct Stop: Sendable, CustomTestStringConvertible {
      var signal = Signal.interrupt
      var arguments = ["--steps", "1000", "--frames", "17"]
      var output = "a.mp4"
      /// The line to wait for, and how long after it.
      let after: String
      var milliseconds = 0

      var testDescription: String { "\(signal) \(milliseconds) ms after '\(after)', \(output)" }
    }

    static let stops = [
      Stop(after: "model "), Stop(after: "output "), Stop(after: "encoding the prompt"),
      Stop(after: "loading the transformer"), Stop(after: "step 1/", milliseconds: 10),
      Stop(after: "step 5/", milliseconds: 130), Stop(output: "a.y4m", after: "step 2/"),
      Stop(output: "a.png", after: "step 2/"), Stop(signal: .terminate, after: "output "),
      Stop(signal: .terminate, after: "step 2/", milliseconds: 20), Stop(signal: .terminalClosed, after: "step 2/"),
      Stop(arguments: ["--steps", "1", "--frames", "81"], after: "decoding"),
      Stop(arguments: ["--steps", "1", "--frames", "81"], after: "decoding", milliseconds: 200),
      Stop(arguments: ["--steps", "1", "--frames", "81"], output: "a.gif", after: "decoding", milliseconds: 400),
    ]

    @Test("ends a run at once with code 130 and leaves nothing", arguments: stops)
    func stop(_ stop: Stop) async throws {
      let folder = try TemporaryFolder()
      let (status, seconds, told) = try await interrupted(stop, in: folder)
      #expect(status == .exited(130), "\(told)")
      #expect(seconds < 3, "\(told)")
      // Not at the very end: the library that runs ffmpeg may complain of its own task while the process ends.
      #expect(told.contains("stopped; nothing was written\n"), "\(told)")
      #expect(folder.contents.isEmpty)
    }

    @Test("leaves the last whole preview at most, and ends its encoder", arguments: ["png", "gif", "mp4"])
    func previews(format: String) async throws {
      let folder = try TemporaryFolder()
      let arguments = ["--steps", "1000", "--frames", "17", "--preview", "p.\(format)"]
      let stop = Stop(arguments: arguments, after: "step 5/", milliseconds: 60)
      let (status, seconds, told) = try await interrupted(stop, in: folder)
      #expect(status == .exited(130) && seconds < 3, "\(told)")
      #expect(Set(folder.contents).isSubset(of: ["p.\(format)"]), "\(folder.contents)")
    }

    @Test("leaves nothing however early it comes", arguments: [0, 20, 50, 100, 150, 250])
    func early(_ milliseconds: Int) async throws {
      let folder = try TemporaryFolder()
      let result = try await run(
        configuration(Stop(after: ""), folder), input: .none, output: .discarded, error: .discarded
      ) {
        try await Task.sleep(for: .milliseconds(milliseconds))
        try $0.send(signal: .interrupt)
      }
      // Before it has started to listen, the signal itself ends it.
      #expect([.exited(130), .signaled(SIGINT)].contains(result.terminationStatus))
      #expect(folder.contents.isEmpty)
    }

    @Test(
      "that comes twice ends a run by the signal and leaves nothing",
      arguments: ["loading the transformer", "step 2/", "decoding"], ["a.mp4", "a.png", "a.y4m"])
    func twice(_ moment: String, _ output: String) async throws {
      let folder = try TemporaryFolder()
      let stop = Stop(arguments: ["--steps", "20", "--frames", "81"], output: output, after: moment)
      let result = try await run(configuration(stop, folder), input: .none, output: .discarded, error: .sequence) {
        execution in
        var told = ""
        var isSent = false
        for try await buffer in execution.standardError {
          // SAFETY: the bytes are copied before the closure ends.
          told += String(decoding: unsafe buffer.withUnsafeBytes { unsafe Array($0) }, as: UTF8.self)
          guard !isSent, told.contains(moment) else { continue }
          isSent = true
          for signal in [Signal.interrupt, .terminate] { try execution.send(signal: signal) }
        }
      }
      // The first may have ended it before the second came.
      #expect([.exited(130), .signaled(SIGINT), .signaled(SIGTERM)].contains(result.terminationStatus))
      #expect(folder.contents.isEmpty, "\(folder.contents)")
    }

    @Test("is not heard by a run that was started without ears for it")
    func ignored() async throws {
      let folder = try TemporaryFolder()
      let script = """
        trap '' HUP INT; "$@" generate -p a --steps 3 --frames 5 -o a.y4m 2>log & run=$!
        until grep -q 'step 1/' log 2>/dev/null; do sleep 0.02; done
        kill -HUP $run; kill -INT $run; wait $run
        """
      let arguments = ["-c", script, "sh", try BuiltCommand.path()].map { Array($0.utf8) }
      let result = try await runCommand("sh", arguments, in: folder)
      #expect(result.status.isSuccess, "\(result.errors)")
      #expect(folder.contents == ["a.y4m", "log"])
    }

    private func configuration(_ stop: Stop, _ folder: TemporaryFolder) async throws -> Configuration {
      let arguments = ["generate", "-p", "a", "-o", stop.output] + stop.arguments
      return try await WanCommandsTests.configuration(
        BuiltCommand.path(), arguments.map { Array($0.utf8) }, in: folder)
    }

    /// Status, seconds from signal to end, and everything that was said.
    private func interrupted(
      _ stop: Stop, in folder: TemporaryFolder
    ) async throws -> (TerminationStatus, Double, String) {
      let clock = ContinuousClock()
      let result = try await run(
        configuration(stop, folder), input: .none, output: .discarded, error: .sequence
      ) { execution in
        var told = ""
        var sent: ContinuousClock.Instant?
        for try await buffer in execution.standardError {
          // SAFETY: the bytes are copied before the closure ends.
          told += String(decoding: unsafe buffer.withUnsafeBytes { unsafe Array($0) }, as: UTF8.self)
          guard sent == nil, told.contains(stop.after) else { continue }
          try await Task.sleep(for: .milliseconds(stop.milliseconds))
          sent = clock.now
          try execution.send(signal: stop.signal)
        }
        return (sent, told)
      }
      let (sent, told) = result.closureResult
      let seconds = sent.map { (clock.now - $0) / .seconds(1) } ?? .infinity
      return (result.terminationStatus, seconds, told)
    }
  }
}
