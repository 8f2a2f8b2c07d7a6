import Prompts

/// What is wrong with a configuration: a file that cannot be read, a key that there is not.
struct ConfigurationError: Error, CustomStringConvertible, Equatable {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Where a default comes from.
enum SettingOrigin: Hashable, Sendable, CustomStringConvertible {
  case file(String, line: Int)
  case variable(String)

  var description: String {
    switch self {
    case .file(let path, let line): "\(path):\(line)"
    case .variable(let name): name
    }
  }
}

/// A default of an option, from a file or the environment.
struct Setting: Equatable, Sendable {
  /// The command that it is for, or those below it; empty for every command that has the option.
  let scope: [String]
  let option: String
  /// One value, those of an option that is given any number of times, or none of a flag that is off.
  let values: [String]
  let isFlag: Bool
  let origin: SettingOrigin

  /// As the parser takes them.
  var arguments: [String] {
    isFlag ? (values.isEmpty ? [] : ["--\(option)"]) : values.map { "--\(option)=\($0)" }
  }

  /// As a person reads it.
  var text: String { isFlag ? (values.isEmpty ? "false" : "true") : values.joined(separator: ", ") }

  func applies(to path: [String]) -> Bool { path.starts(with: scope) }
}

extension Setting {
  /// - Throws: `ConfigurationError` that names the line, for an option that there is not and a value that it cannot have.
  init(_ entry: SettingEntry, of path: String, in tool: CommandOptions) throws(ConfigurationError) {
    func failure(_ reason: String) -> ConfigurationError { ConfigurationError("\(path):\(entry.line): \(reason)") }
    guard let command = tool.command(at: entry.table) else {
      let names = tool.paths.map { $0.joined(separator: ".") }
      let name = entry.table.joined(separator: ".")
      throw failure("[\(name)] is no command of wan's" + Self.hint(name, of: names) { "[\($0)]" })
    }
    let place = entry.table.isEmpty ? "any command" : "'wan \(entry.table.joined(separator: " "))'"
    guard let argument = command.defaultable[entry.key] else {
      if Self.isSecret(entry.key) {
        throw failure(
          "'\(entry.key)': keys and tokens are not kept in files; set WAN_EXTEND_API_KEY or HF_TOKEN in the environment"
        )
      }
      if CommandOptions.withoutDefault.contains(entry.key) { throw failure("'\(entry.key)' can have no default") }
      throw failure(
        "'\(entry.key)' is no option of \(place)"
          + Self.hint(entry.key, of: Array(command.defaultable.keys)) { "'\($0)'" })
    }
    do {
      let values = try Self.values(entry.value, of: argument, called: entry.key)
      self.init(
        scope: entry.table, option: entry.key, values: values, isFlag: argument.kind == .flag,
        origin: .file(path, line: entry.line))
    } catch { throw failure(error.description) }
  }

  /// A default out of the environment: flags are true or false, an option that may be given many times has a line each.
  init(variable: String, _ value: String, of argument: CommandOptions.Argument, called name: String)
    throws(ConfigurationError)
  {
    let (yes, no) = (["1", "true", "yes", "on"], ["0", "false", "no", "off"])
    let word = value.lowercased()
    guard argument.kind != .flag || yes.contains(word) || no.contains(word) else {
      throw ConfigurationError("\(variable): '\(value)' is neither true nor false")
    }
    let values =
      argument.kind == .flag
      ? (yes.contains(word) ? ["true"] : [])
      : argument.isRepeating ? value.split(whereSeparator: \.isNewline).map(String.init) : [value]
    self.init(
      scope: [], option: name, values: values, isFlag: argument.kind == .flag, origin: .variable(variable))
  }

  private static func values(_ value: SettingValue, of argument: CommandOptions.Argument, called name: String)
    throws(ConfigurationError) -> [String]
  {
    if argument.kind == .flag {
      guard case .truth(let isOn) = value else { throw ConfigurationError("'\(name)' is true or false") }
      return isOn ? ["true"] : []
    }
    switch value {
    case .text(let text), .number(let text): return [text]
    case .truth: throw ConfigurationError("'\(name)' takes a value, and not true or false")
    case .list(let values):
      let words = values.compactMap { value -> String? in
        switch value {
        case .text(let text) where argument.isRepeating: text
        case .number(let text): text
        default: nil
        }
      }
      guard words.count == values.count else {
        throw ConfigurationError(
          argument.isRepeating ? "'\(name)' takes an array of strings" : "'\(name)' takes one value, or numbers")
      }
      return argument.isRepeating ? words : [words.joined(separator: ",")]
    }
  }

  private static func isSecret(_ key: String) -> Bool {
    let key = key.lowercased()
    return ["api-key", "api_key", "apikey", "token", "secret", "password"].contains { key.hasSuffix($0) }
  }

  /// What may have been meant.
  static func hint(_ name: String, of names: [String], _ written: (String) -> String) -> String {
    Spelling.nearest(to: name, among: names.sorted()).map { "; the nearest is \(written($0))" } ?? ""
  }
}
