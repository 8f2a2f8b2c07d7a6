import Foundation
import Subprocess
import TestSupport
import Testing

/// Every command and option as the parser itself knows them, from its own dump.
private struct CommandHelp: Decodable {
  let commandName: String
  let arguments: [Argument]?
  let subcommands: [CommandHelp]?

  struct Argument: Decodable {
    let kind: String
    let names: [Name]?
    let abstract: String?
    let valueName: String?

    struct Name: Decodable {
      let kind, name: String
    }

    /// "--model", "-m"; none of a positional argument.
    var options: [String] { (names ?? []).map { ($0.kind == "short" ? "-" : "--") + $0.name } }
    /// What a line of the help begins with.
    var words: [String] { kind == "positional" ? ["<\(valueName ?? "")>"] : options }
  }

  /// This command and all below it, each with its path: ["bench", "vae"].
  func all(_ above: [String] = []) -> [(path: [String], command: CommandHelp)] {
    [(above, self)] + (subcommands ?? []).flatMap { $0.all(above + [$0.commandName]) }
  }

  static func read() async throws -> [(path: [String], command: CommandHelp)] {
    struct Dump: Decodable {
      let command: CommandHelp
    }
    let output = try await wan(["--experimental-dump-help"], in: TemporaryFolder()).output
    return try JSONDecoder().decode(Dump.self, from: Data(output.utf8)).command.all()
      .filter { $0.path != ["help"] }  // the parser's own, which has no help
  }
}

extension WanCommandTests {
  @Suite("Help") struct HelpTests {
    @Test("every command and option has help, and every --help shows it")
    func everything() async throws {
      let commands = try await CommandHelp.read()
      #expect(
        Set(commands.map { $0.path.first ?? "" })
          == [
            "", "generate", "resume", "runs", "show", "rerun", "compare", "pull", "models", "inspect", "convert",
            "preview-fit", "bench",
            "synthesize", "config",
          ])
      #expect(commands.count > 10)
      for (path, command) in commands {
        let result = try await wan(path + ["--help"], in: TemporaryFolder())
        #expect(result.status.isSuccess && result.errors.isEmpty)
        let text = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for argument in command.arguments ?? [] {
          let place = "\(path) \(argument.words)"
          let abstract = try #require(argument.abstract, "\(place) has no help")
          #expect(!argument.words.isEmpty && abstract.hasSuffix("."), "\(place): '\(abstract)' is no sentence")
          let words = abstract.split(whereSeparator: \.isWhitespace).joined(separator: " ")
          #expect(text.contains(words), "\(place): its sentence is not in the help")
          for word in argument.words { #expect(shows(word, result.output), "\(place) is not in the help") }
        }
        for sub in command.subcommands ?? [] where sub.commandName != "help" {
          #expect(result.output.contains("\n  \(sub.commandName) "), "\(path) \(sub.commandName)")
        }
        if !path.isEmpty { #expect(try await wan(["help"] + path, in: TemporaryFolder()).output == result.output) }
      }
    }

    /// Whether a line of the help begins with an option, alone or beside its other name.
    private func shows(_ word: String, _ help: String) -> Bool {
      help.split(separator: "\n").contains { line in
        let head = line.drop { $0 == " " }.split(separator: " ").map { $0.hasSuffix(",") ? $0.dropLast() : $0 }
        return line.hasPrefix("  ") && head.prefix(2).contains { $0 == word }
      }
    }

    @Test("README names every option of generate, and no option that there is not")
    func readme() async throws {
      let text = String(decoding: try Golden.data(Folders.repository + "/README.md"), as: UTF8.self)
      let commands = try await CommandHelp.read()
      let generate = try #require(commands.first { $0.path == ["generate"] }).command
      let options = (generate.arguments ?? []).flatMap(\.options).filter { $0.hasPrefix("--") }
      #expect(options.count > 20)
      for option in options where !["--help", "--version"].contains(option) {
        #expect(text.contains("`\(option)"), "\(option) is not in README.md")
      }
      let known = Set(commands.flatMap { $0.command.arguments ?? [] }.flatMap(\.options))
      for line in text.split(separator: "\n") where !namesOtherPrograms(line) {
        for match in line.matches(of: /(?:^|[^\w-])(--[a-z][a-z0-9-]*)/) {
          #expect(known.contains(String(match.output.1)), "README.md names \(match.output.1): \(line)")
        }
      }
    }

    /// Lines that run something else than `wan`.
    private func namesOtherPrograms(_ line: Substring) -> Bool {
      ["swift build", "swift test", "swift run", "git ", "scripts/"].contains { line.contains($0) }
    }

    @Test("the version has three numbers")
    func version() async throws {
      let version = try await wan(["--version"], in: TemporaryFolder())
      #expect(version.output.split(separator: ".").count == 3)
    }
  }
}
