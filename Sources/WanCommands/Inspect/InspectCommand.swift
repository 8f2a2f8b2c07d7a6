import ArgumentParser
import WanKit

/// `wan inspect`: what a file or folder is, from headers alone.
struct InspectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Names what a model folder or checkpoint file is, from its headers alone.")

  @Argument(
    help: "A model folder, what 'wan pull' has downloaded, or a file: .safetensors, .gguf, .pth, an index, a LoRA.",
    completion: .file(),
    transform: PathArgument.path)
  var path: String

  @Flag(help: "One JSON object.")
  var json = false

  func run() async throws {
    let path = try LocalHub.folder(for: path)
    let report: Inspection
    do throws(ModelError) {
      report = try Inspection(path: path, searched: ModelOptions.searched)
    } catch {
      if json { Console.json(Inspection(path: path, failure: error)) }
      throw error
    }
    if json {
      Console.json(report)
    } else {
      for line in report.lines { Console.out(line) }
    }
    try Console.requireOutput()
    if !report.isComplete { throw ExitCode.failure }
  }
}

extension Inspection {
  /// The report in lines for people.
  var lines: [String] {
    var lines = ["\(path): \(summary)"]
    for network in networks {
      lines.append(
        "  \(network.role): \(network.description), \(Self.types(network)), "
          + "\(Self.millions(network.parameters)) parameters in \(network.tensors) tensors")
      lines += network.problems.map { "    \($0)" }
    }
    if let recipe { lines.append("  distilled, and run by the recipe \(recipe)") }
    if !missing.isEmpty { lines.append("  to run it there must be: \(missing.joined(separator: ", "))") }
    if let usage { lines.append("  use it with: \(usage)") }
    return lines + problems.map { "  \($0)" }
  }

  /// The types, with their parts of all parameters where there are several.
  private static func types(_ network: Network) -> String {
    guard network.types.count > 1 else { return network.types.joined() }
    return network.shares.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { type, share in
      "\(type) \(share < 0.0005 ? "under 0.1" : Format.fixed(100 * share, 1)) %"
    }.joined(separator: " ")
  }

  private static func millions(_ count: Int) -> String {
    count >= 1_000_000_000 ? Format.fixed(Double(count) / 1e9, 2) + " B" : Format.fixed(Double(count) / 1e6, 2) + " M"
  }
}
