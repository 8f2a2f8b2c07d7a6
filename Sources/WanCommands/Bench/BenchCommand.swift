import ArgumentParser

/// `wan bench`: the parts of the models on random weights at published sizes.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures the parts of the models on random weights at published sizes.",
    discussion: "Each figure is the median of --repeat runs after --warm-up others; start and clip run once.",
    subcommands: [
      BenchTransformer.self, BenchVAE.self, BenchText.self, BenchAttention.self, BenchGemm.self, BenchStart.self,
      BenchClip.self, BenchPreview.self,
    ])
}

/// Options of every measurement.
struct BenchOptions: ParsableArguments {
  @OptionGroup var engine: EngineOptions

  @Option(name: .customLong("repeat"), help: ArgumentHelp("Runs to take the median of.", valueName: "n"))
  var repeats: Int = 3

  @Option(name: .customLong("warm-up"), help: ArgumentHelp("Runs before those that count.", valueName: "n"))
  var warmUps: Int = 1

  @Flag(help: "One JSON object.")
  var json = false

  func validate() throws {
    guard (1...1000).contains(repeats) else { throw ValidationError("--repeat \(repeats) is not from 1 to 1000") }
    guard (0...1000).contains(warmUps) else { throw ValidationError("--warm-up \(warmUps) is not from 0 to 1000") }
  }
}
