import ArgumentParser
import Foundation

/// Where defaults come from; options of `wan` itself, before or behind the command's name.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Take defaults from this file, instead of ./wan.toml and the user's own wan.toml.", valueName: "file"),
    completion: .file(), transform: PathArgument.path)
  var config: String?

  @Flag(help: "No defaults, neither from files nor from the environment.")
  var noConfig = false
}

/// `wan config`: the defaults that are set, and where.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Shows the defaults that files and the environment set, and where each comes from.",
    discussion: """
      Any option of any command has its default from, in this order: WAN_OPTION_NAME in the environment, ./wan.toml, and \
      $XDG_CONFIG_HOME/wan/wan.toml (~/.config/wan/wan.toml):
        steps = 30                 # of every command that has --steps
        [generate]                 # of one command
        negative-prompt = "blurred"
        lora = ["style.safetensors=0.8"]
      The command line comes before all of them.
      """)

  @OptionGroup var choice: ConfigurationOptions

  @Flag(help: "The defaults as one JSON object.")
  var json = false

  @Flag(help: "Print the names of the files that are looked for, and nothing else.")
  var path = false

  @Argument(help: "What counts for one command, as generate or bench vae.")
  var command: [String] = []

  func run() throws {
    let tool = try CommandOptions()
    guard tool.command(at: command) != nil else {
      let name = command.joined(separator: " ")
      let names = tool.paths.map { $0.joined(separator: " ") }
      throw CommandError("'\(name)' is no command" + Setting.hint(name, of: names) { "'\($0)'" })
    }
    let found = Configuration(
      named: choice.config, isOff: choice.noConfig, environment: ProcessInfo.processInfo.environment, in: tool)
    let report = ConfigurationReport(found, for: command, in: tool)
    if json { Console.json(report) } else { for line in path ? report.paths : report.lines { Console.out(line) } }
    if !json, !path { for problem in report.problems { Console.note("Error: \(problem)") } }
    try Console.requireOutput()
    guard found.problems.isEmpty || path else { throw ExitCode.failure }
  }
}

/// What `wan config` prints.
struct ConfigurationReport: Encodable {
  struct File: Encodable {
    let path: String
    let exists: Bool
  }

  struct Entry: Encodable {
    let scope: String?
    let option, origin: String
    let values: [String]
    let leftOut: String?
    let text: String

    private enum CodingKeys: String, CodingKey { case scope, option, values, origin, leftOut }
  }

  let files: [File]
  let settings: [Entry]
  let problems, notices: [String]
  private let about: String

  private enum CodingKeys: String, CodingKey { case files, settings, problems, notices }

  init(_ configuration: Configuration, for command: [String], in tool: CommandOptions) {
    about = command.joined(separator: " ")
    files = configuration.sources.map { File(path: $0.path, exists: $0.isThere) }
    let outcomes =
      tool.command(at: command)?.subcommands == nil
      ? configuration.outcomes(for: command, given: [:], in: tool)
      : configuration.settings.filter { $0.applies(to: command) || $0.scope.starts(with: command) }
        .map { Configuration.Outcome(setting: $0, leftOut: nil) }
    settings = outcomes.map { outcome in
      let setting = outcome.setting
      return Entry(
        scope: setting.scope.isEmpty ? nil : setting.scope.joined(separator: " "), option: setting.option,
        origin: setting.origin.description, values: setting.isFlag ? [setting.text] : setting.values,
        leftOut: outcome.leftOut, text: setting.text)
    }
    problems = configuration.problems.map(\.description)
    notices = configuration.strangers
  }

  var paths: [String] { files.map(\.path) }

  /// A line for each setting, in columns, and the files.
  var lines: [String] {
    var lines = files.map { "\($0.path)\($0.exists ? "" : " (not there)")" }
    let names = settings.map { ($0.scope.map { "\($0): " } ?? "") + $0.option }
    let (left, middle) = (names.map(\.count).max() ?? 0, min(60, settings.map(\.text.count).max() ?? 0))
    for (name, setting) in zip(names, settings) {
      let line = "\(pad(name, left)) = \(pad(setting.text, middle))  \(setting.origin)"
      lines.append("  " + line + (setting.leftOut.map { "  (left out: \($0))" } ?? ""))
    }
    if settings.isEmpty { lines.append("no defaults are set" + (about.isEmpty ? "" : " for 'wan \(about)'")) }
    return lines + notices
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
