import ArgumentParser
import Files
import Foundation
import Hub

/// `wan models`: what is in the hub's cache and in WAN_MODELS.
struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract: "Lists the models of the hub's cache and of WAN_MODELS, or removes one.",
    discussion: """
      Models that were pulled by whichever program are listed with what they take on the disk, the commit of their main \
      branch, and whether files of them are still to come. What they are is told of those that are Wan's.
      """)

  @Option(help: ArgumentHelp("Remove this model of the hub's cache: \(HubModelName.help).", valueName: "model"))
  var remove: HubModelName?

  @Flag(name: .shortAndLong, help: "Remove without asking.")
  var yes = false

  @Flag(help: "One JSON object.")
  var json = false

  func validate() throws {
    guard remove != nil || !yes else { throw ValidationError("--yes goes with --remove") }
    guard remove == nil || !json else { throw ValidationError("--json goes with the list; --remove has none") }
  }

  func run() throws {
    if let remove { try self.remove(remove.name) } else { list() }
    try Console.requireOutput()
  }

  private func list() {
    let report = ModelsReport(cache: LocalHub.cache, folders: ModelOptions.searched)
    if json { return Console.json(report) }
    for line in report.lines { Console.out(line) }
  }

  private func remove(_ name: RepositoryName) throws {
    let cache = LocalHub.cache
    if let model = cache.model(name), !yes {
      guard isatty(0) == 1 else {
        throw CommandError("'\(name)' is not removed without a yes: give --yes, or run this in a terminal")
      }
      Console.draw(
        "Remove '\(name)' (\(Format.gibibytes(model.bytes))) from \(TerminalText.printable(cache.path))? [y/N] ")
      guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else {
        Console.note("nothing was removed")
        throw ExitCode.failure
      }
    }
    let bytes = try cache.remove(name)
    Console.out("removed '\(name)': \(Format.gibibytes(bytes)) (\(bytes) bytes) are free again")
  }
}
