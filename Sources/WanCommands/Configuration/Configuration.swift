import Files
import Foundation

/// The defaults of a user: what files and the environment say, and what is wrong in them.
struct Configuration: Sendable {
  /// A file that is looked for.
  struct Source: Equatable, Sendable {
    let path: String
    var isThere: Bool
  }

  /// In the order of their weight: the environment, ./wan.toml, the user's own; in a file its narrowest tables first.
  private(set) var settings: [Setting] = []
  private(set) var sources: [Source] = []
  private(set) var problems: [ConfigurationError] = []
  /// Variables that begin as options' do, and are none.
  private(set) var strangers: [String] = []

  /// What the environment has of other meaning: for the command, and for building and testing it.
  private static let reserved: Set<String> = [
    "WAN_MODELS", "WAN_EXTEND_API_KEY", "WAN_TESTABLE", "WAN_WARNINGS_AS_ERRORS", "WAN_STATIC", "WAN_SANITIZED",
    "WAN_GOLDEN", "WAN_PEER_ENV",
  ]

  /// Whether a variable may be an option's.
  private static func isOurs(_ variable: String) -> Bool {
    variable.hasPrefix("WAN_") && !variable.hasPrefix("WAN_TEST_") && !reserved.contains(variable)
  }
  /// Options whose address is given a user's keys: whoever made the working folder has no say in them.
  private static let givenKeys: Set<String> = ["extend-prompt", "endpoint"]
  static let fileName = "wan.toml"

  /// The user's own file.
  static func userFile(_ environment: [String: String]) -> String? {
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
    let chosen = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (chosen ?? home.map { "\($0)/.config" }).map { "\($0)/wan/\(fileName)" }
  }

  /// Whether there can be any defaults; where not, the options need not even be listed.
  static func isPossible(_ environment: [String: String]) -> Bool {
    environment.keys.contains(where: isOurs)
      || [fileName, userFile(environment)].contains { name in
        name.flatMap { FileStatus(path: $0) } != nil
      }
  }

  /// - Parameters:
  ///   - named: the file that is read instead of the two usual ones.
  ///   - isOff: whether neither files nor environment count.
  init(
    named: String?, isOff: Bool, environment: [String: String], in tool: CommandOptions
  ) {
    guard !isOff else { return }
    readVariables(environment, tool)
    if let named {
      read(named, tool, isNeeded: true)
    } else {
      read(Self.fileName, tool, isNeeded: false)
      // The working folder may be the user's own: no file counts twice.
      if let own = Self.userFile(environment),
        FileStatus(path: own)?.isSame(as: FileStatus(path: Self.fileName)) != true
      {
        read(own, tool, isNeeded: false)
      }
    }
  }

  private mutating func readVariables(_ environment: [String: String], _ tool: CommandOptions) {
    let known = tool.defaultable
    let names = Dictionary(
      known.keys.map { ("WAN_" + $0.uppercased().replacing("-", with: "_"), $0) }, uniquingKeysWith: { $1 })
    for (variable, value) in environment.sorted(by: { $0.key < $1.key }) where Self.isOurs(variable) && !value.isEmpty {
      guard let name = names[variable], let argument = known[name] else {
        let known = names.keys.map { String($0.dropFirst(4)) }
        let hint = Setting.hint(String(variable.dropFirst(4)), of: known) { "WAN_\($0)" }
        strangers.append("\(variable) is no option's\(hint)")
        continue
      }
      do throws(ConfigurationError) {
        settings.append(try Setting(variable: variable, value, of: argument, called: name))
      } catch { problems.append(error) }
    }
  }

  private mutating func read(_ path: String, _ tool: CommandOptions, isNeeded: Bool) {
    guard let status = FileStatus(path: path) else {
      sources.append(Source(path: path, isThere: false))
      if isNeeded { problems.append(ConfigurationError("\(path): there is no such file; --config names it")) }
      return
    }
    sources.append(Source(path: path, isThere: true))
    guard status.kind == .file else {
      problems.append(ConfigurationError("\(path): is no file, and cannot hold defaults"))
      return
    }
    do {
      var found: [Setting] = []
      for entry in try Self.entries(of: path) {
        do throws(ConfigurationError) {
          guard isNeeded || path != Self.fileName || !Self.givenKeys.contains(entry.key) else {
            throw ConfigurationError(
              "\(path):\(entry.line): '\(entry.key)' is given keys from the environment, and is not taken from a file that may "
                + "be another's; put it into your own wan.toml, or name this file with --config")
          }
          found.append(try Setting(entry, of: path, in: tool))
        } catch {
          problems.append(error)
        }
      }
      settings += found.enumerated().sorted {
        ($1.element.scope.count, $0.offset) < ($0.element.scope.count, $1.offset)
      }.map(\.element)
    } catch { problems.append(error) }
  }

  private static func entries(of path: String) throws(ConfigurationError) -> [SettingEntry] {
    guard let handle = FileHandle(forReadingAtPath: path) else { throw ConfigurationError("\(path): cannot be read") }
    let data: Data
    do { data = try handle.read(upToCount: SettingsReader.limit + 1) ?? Data() } catch {
      throw ConfigurationError("\(path): cannot be read: \(error)")
    }
    guard data.count <= SettingsReader.limit else {
      throw ConfigurationError("\(path): has more than \(SettingsReader.limit / 1024) KiB, and is no file of settings")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw ConfigurationError("\(path): holds bytes that are not UTF-8")
    }
    do throws(SettingsSyntaxError) { return try SettingsReader.entries(of: text) } catch {
      throw ConfigurationError("\(path):\(error.line):\(error.column): \(error.reason)")
    }
  }
}

extension Configuration {
  /// A setting, and why it does not count, where it does not.
  struct Outcome: Sendable {
    let setting: Setting
    let leftOut: String?
  }

  /// What comes of the settings of a command, beside the options that a user gives.
  func outcomes(for path: [String], given: [String: String], in tool: CommandOptions) -> [Outcome] {
    guard let command = tool.command(at: path) else { return [] }
    var (taken, outcomes) = (given, [Outcome]())
    // Each source gives way to those of more weight, and options of one table do not give way to each other.
    let relevant = settings.filter { $0.applies(to: path) && command.argument($0.option) != nil }
    for (level, setting) in zip(relevant.map(Level.init), relevant) {
      let above = taken.filter { name, _ in
        given[name] != nil || name == setting.option
          || !outcomes.contains { $0.setting.option == name && Level($0.setting) == level }
      }
      let winner = OptionConflicts.replacement(of: setting.option, setting.text, in: above)
      outcomes.append(Outcome(setting: setting, leftOut: winner.map { winnerText($0, setting, given, outcomes) }))
      if winner == nil { taken[setting.option] = setting.text }
    }
    return outcomes.map { outcome in
      guard outcome.leftOut == nil else { return outcome }
      let others = taken.filter { $0.key != outcome.setting.option }
      let missing = OptionConflicts.missing(
        for: outcome.setting.option, outcome.setting.text, in: others, of: command)
      return Outcome(setting: outcome.setting, leftOut: missing.map { "goes with \($0), which is not given" })
    }
  }

  private func winnerText(
    _ winner: String, _ setting: Setting, _ given: [String: String], _ outcomes: [Outcome]
  ) -> String {
    if given[winner] != nil { return "the command line has --\(winner)" }
    let origin = outcomes.first { $0.setting.option == winner && $0.leftOut == nil }?.setting.origin
    return origin.map { "\($0) has '\(winner)'" } ?? "'\(winner)' stands above it"
  }

  /// Settings that stand beside each other.
  private struct Level: Equatable {
    let source: String
    let scope: [String]

    init(_ setting: Setting) {
      scope = setting.scope
      switch setting.origin {
      case .file(let path, _): source = path
      case .variable: source = ""
      }
    }
  }
}
