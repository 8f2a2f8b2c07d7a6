import Foundation
import Subprocess
import TestSupport
import Testing

/// Tests that run the built `wan` as a person does, one after another: several at once would stretch each other's
/// times.
@Suite("The wan command", .serialized) struct WanCommandTests {}

/// What a finished command left.
struct CommandResult: Sendable {
  let status: TerminationStatus
  let output, errors: String

  var outputLines: [Substring] { output.split(separator: "\n") }
  var errorLines: [Substring] { errors.split(separator: "\n") }

  /// One JSON object per line of standard output; a line that is none fails the test.
  func events() throws -> [[String: any Sendable]] {
    try outputLines.map { line in
      try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: any Sendable], "\(line)")
    }
  }
}

/// The executable beside the test bundle.
enum BuiltCommand {
  static func path() throws -> String {
    let starts = CommandLine.arguments.prefix(1) + Bundle.allBundles.map(\.bundlePath)
    let folders = starts.flatMap { start in
      sequence(first: URL(fileURLWithPath: start)) { $0.path == "/" ? nil : $0.deletingLastPathComponent() }.prefix(6)
    }
    let found = folders.map { $0.appendingPathComponent("wan").path }.first {
      FileManager.default.isExecutableFile(atPath: $0) && !Folders.isFolder($0)
    }
    return try #require(found, "the wan executable is not beside the tests: swift build makes it")
  }
}

/// Runs `wan` in a folder; standard input is empty.
func wan(
  _ arguments: [String], in folder: TemporaryFolder, environment: Environment = .hermetic
) async throws -> CommandResult {
  try await runCommand(
    BuiltCommand.path(), arguments.map { Array($0.utf8) }, in: folder, environment: environment)
}

/// Runs a command whose arguments may be any bytes.
func runCommand(
  _ executable: String, _ arguments: [[UInt8]], in folder: TemporaryFolder, environment: Environment = .hermetic
) async throws -> CommandResult {
  let result = try await run(
    configuration(executable, arguments, in: folder, environment: environment), output: .bytes(limit: 1 << 24),
    error: .bytes(limit: 1 << 24))
  return CommandResult(
    status: result.terminationStatus, output: String(decoding: result.standardOutput, as: UTF8.self),
    errors: String(decoding: result.standardError, as: UTF8.self))
}

/// A command in a folder; the shell that enters it becomes the command.
func configuration(
  _ executable: String, _ arguments: [[UInt8]], in folder: TemporaryFolder, environment: Environment = .hermetic
) async throws -> Configuration {
  let shell = try await Executable.name("sh").resolveExecutablePath(in: .inherit)
  let script = ["-c", "cd \"$0\" && exec \"$@\"", folder.url.path, executable].map { Array($0.utf8) }
  return Configuration(
    // As C strings: raw arguments are taken up to their zero.
    executable: .path(shell), arguments: Arguments((script + arguments).map { $0 + [0] }), environment: environment)
}

extension Environment {
  /// The surroundings without anybody's own defaults.
  static var hermetic: Environment {
    let kept = ["WAN_MODELS", "WAN_EXTEND_API_KEY"]
    let names = ProcessInfo.processInfo.environment.keys.filter {
      $0.hasPrefix("WAN_") && !$0.hasPrefix("WAN_TEST_") && !kept.contains($0)
    }
    let none = names.map { (Key(stringLiteral: $0), String?.none) }
    return .inherit.updating(
      Dictionary(none, uniquingKeysWith: { $1 }).merging(["XDG_CONFIG_HOME": "/nowhere"]) { $1 })
  }
}

/// Whether a command of that name can be found.
func hasCommand(_ name: String) async -> Bool {
  (try? await Executable.name(name).resolveExecutablePath(in: .inherit)) != nil
}
