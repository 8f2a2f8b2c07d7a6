import ArgumentParser
import Foundation

/// A command line with a user's defaults in front of what the user gives.
struct ConfiguredArguments {
  /// What the parser takes.
  private(set) var list: [String]
  /// What was put there.
  private(set) var settings: [Setting] = []
  private var start = 0
  private var own: [String] = []

  /// - Throws: `ConfigurationError`, but where help, the version or the configuration itself is asked for.
  init(_ arguments: [String], environment: [String: String]) throws {
    list = arguments
    let namesFile = arguments.contains { $0 == "--no-config" || $0 == "--config" || $0.hasPrefix("--config=") }
    guard namesFile || Configuration.isPossible(environment), !Self.asksForHelp(arguments) else { return }
    let tool = try CommandOptions()
    let scanned = try ScannedArguments(arguments, of: tool)
    (own, start, list) = (scanned.rest, scanned.start, scanned.rest)
    guard let command = tool.command(at: scanned.path), !scanned.path.isEmpty else { return }
    guard scanned.path != ["config"] else {
      // Which asks itself.
      let chosen = scanned.configurationFile.map { ["--config=\($0)"] } ?? []
      list.insert(contentsOf: chosen + (scanned.hasNoConfiguration ? ["--no-config"] : []), at: start)
      return
    }
    let helps = ["help", "version"].contains { scanned.given[$0] != nil }
    guard !helps, !command.defaultable.isEmpty else { return }
    let configuration = Configuration(
      named: try scanned.configurationFile.map(PathArgument.path), isOff: scanned.hasNoConfiguration,
      environment: environment, in: tool)
    if let problem = configuration.problems.first { throw problem }
    settings = configuration.outcomes(for: scanned.path, given: scanned.given, in: tool)
      .filter { $0.leftOut == nil }.map(\.setting)
    list = with(settings)
  }

  /// Nothing of a configuration may stand in the way of these, nor of what completes words in a shell.
  private static func asksForHelp(_ arguments: [String]) -> Bool {
    guard let first = arguments.first else { return true }
    return ["help", "--help", "-h", "--version", "---completion"].contains(first)
      || first.hasPrefix("--experimental") || first.hasPrefix("--generate-completion")
  }

  private func with(_ settings: [Setting]) -> [String] {
    own[..<start] + settings.flatMap(\.arguments) + own[start...]
  }

  /// The command that they are.
  ///
  /// - Throws: as the parser; `ConfigurationError` where a default is to blame.
  func parse() throws -> any ParsableCommand {
    do { return try WanCommand.parseAsRoot(list) } catch {
      guard WanCommand.exitCode(for: error) != .success, !settings.isEmpty else { throw error }
      throw blamed(for: error) ?? error
    }
  }

  private func blamed(for error: any Error) -> ConfigurationError? {
    let reason = WanCommand.message(for: error)
    for index in settings.indices {
      var others = settings
      let setting = others.remove(at: index)
      if (try? WanCommand.parseAsRoot(with(others))) != nil {
        return ConfigurationError("\(setting.origin): \(setting.option) = \(setting.text): \(reason)")
      }
    }
    guard (try? WanCommand.parseAsRoot(own)) != nil else { return nil }
    return ConfigurationError("\(reason)\n\(summary)")
  }

  /// Where defaults came from, in a line.
  var summary: String {
    "Defaults are from \(settings.map { "\($0.origin) (\($0.option))" }.joined(separator: ", ")); 'wan config' shows them."
  }
}
