import ArgumentParser
import Files
import Foundation
import Hub

/// `wan pull`: a model of the hub into its cache.
struct PullCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull",
    abstract: "Downloads a model from the Hugging Face hub.",
    discussion: """
      The model goes into the cache that Python's tools share: $HF_HUB_CACHE, else hub in $HF_HOME, else \
      ~/.cache/huggingface/hub. What is there already is not fetched again, and whatever stops a download, the same command \
      goes on with it. Every file is checked by its digest.

      For gated and private models an access token is taken from HF_TOKEN, else from the file that 'hf auth login' writes. \
      HF_ENDPOINT names another hub, HF_HUB_OFFLINE=1 forbids to ask any.

      Afterwards --model takes the same name:
        wan pull ti2v-5b
        wan generate --model ti2v-5b --prompt "Two cats box on a stage."
      """)

  @Argument(help: ArgumentHelp("The model: \(HubModelName.help).", valueName: "model"))
  var model: HubModelName

  @Option(
    help: ArgumentHelp("Only files of this form, as '*.json' or 'vae/*'; any number of times.", valueName: "pattern"))
  var include: [String] = []

  @Option(help: ArgumentHelp("No files of this form; any number of times.", valueName: "pattern"))
  var exclude: [String] = []

  @Option(help: ArgumentHelp("A branch, a tag or a commit.", valueName: "rev"))
  var revision = "main"

  @Option(help: ArgumentHelp("Another hub's address, in the place of HF_ENDPOINT.", valueName: "url"))
  var endpoint: String?

  @Option(help: ArgumentHelp("Files that are fetched at a time, 1 to 32.", valueName: "n"))
  var jobs = 4

  @Flag(name: .shortAndLong, help: "The snapshot's folder only, on one line.")
  var quiet = false

  func validate() throws {
    guard (1...32).contains(jobs) else { throw ValidationError("--jobs \(jobs): 1 to 32 files go at a time") }
  }

  func run() async throws {
    let (pull, name) = (try pull(), model.name)
    // The client's two threads and the connections of its jobs.
    try ProcessLimits(descriptors: 16 + 4 * jobs, threads: 4).check()
    let reporter = PullReporter(name: name, isQuiet: quiet)
    let pulled: PulledModel
    do {
      pulled = try await interruptible { try await pull.run(onEvent: reporter.show) }
    } catch is CancellationError {
      reporter.end()
      Console.note("stopped; what has come is kept, and the same command goes on")
      throw ExitCode(130)
    } catch {
      reporter.end()
      throw error
    }
    reporter.end()
    report(pulled)
    try Console.requireOutput()
  }

  private func pull() throws -> Pull {
    let environment = ProcessInfo.processInfo.environment
    var request = try PullRequest(model.name, revision: revision)
    request.include = include.map(FilePattern.init)
    request.exclude = exclude.map(FilePattern.init)
    request.jobs = jobs
    let settings = try HubSettings(environment: environment, endpoint: endpoint)
    return Pull(request, into: HubCache(environment: environment), from: settings)
  }

  private func report(_ pulled: PulledModel) {
    guard !quiet else { return Console.out(pulled.folder) }
    let source = pulled.fetched > 0 ? "\(Format.gibibytes(pulled.fetched)) downloaded" : "nothing to download"
    Console.out(
      "\(pulled.name) at \(pulled.commit.prefix(12)): \(Format.count(pulled.files, "file")), "
        + "\(Format.gibibytes(pulled.bytes)), \(source)")
    Console.out(pulled.folder)
    let model = revision == "main" ? PublishedModels.word(for: pulled.name) : pulled.folder
    Console.out("use it with: wan generate --model \(model) --prompt \"...\"")
  }
}
