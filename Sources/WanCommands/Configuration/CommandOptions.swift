import ArgumentParser
import Foundation

/// A command and its options, as the parser itself tells them.
struct CommandOptions: Decodable, Sendable {
  let commandName: String
  private let arguments: [Argument]?
  let subcommands: [CommandOptions]?

  /// An option, a flag or a positional argument.
  struct Argument: Decodable, Sendable {
    enum Kind: String, Decodable { case positional, option, flag }
    struct Name: Decodable { let kind, name: String }

    let kind: Kind
    let names: [Name]?
    let isRepeating: Bool

    var long: String? { names?.first { $0.kind == "long" }?.name }
    func isCalled(_ name: String) -> Bool { names?.contains { $0.name == name } == true }
  }

  private struct Dump: Decodable { let command: CommandOptions }

  /// All of `wan`, or of another command.
  init(of command: any ParsableCommand.Type = WanCommand.self) throws {
    self = try JSONDecoder().decode(Dump.self, from: Data(command._dumpHelp().utf8)).command
  }

  /// What acts once, asks for help, or says where defaults come from has no default.
  static let withoutDefault: Set<String> = ["help", "version", "config", "no-config", "remove", "yes", "path"]

  func argument(_ name: String) -> Argument? { arguments?.first { $0.kind != .positional && $0.isCalled(name) } }

  func subcommand(_ name: String) -> CommandOptions? { subcommands?.first { $0.commandName == name } }

  /// The command below this one that a path names.
  func command(at path: [String]) -> CommandOptions? {
    path.reduce(Optional(self)) { command, name in command?.subcommand(name) }
  }

  /// The paths of all commands below this one: ["bench"], ["bench", "vae"].
  var paths: [[String]] {
    (subcommands ?? []).flatMap { sub in [[sub.commandName]] + sub.paths.map { [sub.commandName] + $0 } }
  }

  /// The options of this command and all below it that may have defaults, by their names.
  var defaultable: [String: Argument] {
    let own = (arguments ?? []).compactMap { argument in
      argument.kind == .positional ? nil : argument.long.map { ($0, argument) }
    }
    let below = (subcommands ?? []).filter { $0.commandName != "config" }.flatMap { $0.defaultable.map { ($0, $1) } }
    return Dictionary(
      (own + below).filter { !Self.withoutDefault.contains($0.0) }, uniquingKeysWith: { first, _ in first })
  }
}

/// What stands on a command line, as far as defaults need to know.
struct ScannedArguments {
  /// The command: ["bench", "vae"].
  private(set) var path: [String] = []
  /// The options that are given, by their long names, with the last value of each.
  private(set) var given: [String: String] = [:]
  /// The file that `--config` names.
  private(set) var configurationFile: String?
  private(set) var hasNoConfiguration = false
  /// Everything but `--config` and `--no-config`.
  private(set) var rest: [String] = []
  /// Where in ``rest`` the command's own arguments begin.
  private(set) var start = 0

  /// - Throws: `ConfigurationError` for a `--config` without a file.
  init(_ arguments: [String], of tool: CommandOptions) throws {
    var (command, index) = (tool, 0)
    while index < arguments.count {
      let argument = arguments[index]
      index += 1
      guard argument != "--" else {
        rest += arguments[(index - 1)...]
        return
      }
      guard argument.hasPrefix("-"), argument != "-" else {
        rest.append(argument)
        if let below = command.subcommand(argument) {
          (command, path, start) = (below, path + [argument], rest.count)
        } else if path == ["rerun"] {
          // What follows the clip is read by 'generate'.
          rest += arguments[index...]
          return
        }
        continue
      }
      let value = note(argument, of: command, tool, following: index < arguments.count ? arguments[index] : nil)
      let isOurs = argument == "--no-config" || argument == "--config" || argument.hasPrefix("--config=")
      if !isOurs { rest.append(argument) }
      if argument == "--config", value == nil { throw ConfigurationError("--config needs the file's name") }
      if value?.isNext == true {
        if !isOurs { rest.append(arguments[index]) }
        index += 1
      }
      if isOurs {
        (configurationFile, hasNoConfiguration) = (
          value?.text ?? configurationFile, hasNoConfiguration || argument == "--no-config"
        )
      }
    }
  }

  /// Notes the options that an argument gives.
  ///
  /// - Returns: the value of the last one, and whether it is the next argument.
  private mutating func note(
    _ argument: String, of command: CommandOptions, _ tool: CommandOptions, following: String?
  ) -> (text: String, isNext: Bool)? {
    let parts = argument.drop { $0 == "-" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.first.map(String.init) ?? ""
    let names = argument.hasPrefix("--") ? [name] : name.map(String.init)
    let options = names.compactMap { command.argument($0) ?? tool.argument($0) }
    for option in options { if let long = option.long { given[long] = "" } }
    guard let last = options.last, last.kind == .option, let long = last.long else { return nil }
    let value = parts.count == 2 ? (String(parts[1]), false) : following.map { ($0, true) }
    given[long] = value?.0 ?? ""
    return value
  }
}
