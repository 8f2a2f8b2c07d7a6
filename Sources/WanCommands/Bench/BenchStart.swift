import ArgumentParser
import Foundation
import Layers
import Sampling
import Tensors
import WanKit
import WanModels

/// From the process's start to the first transformer pass of a checkpoint.
struct BenchStart: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start",
    abstract: "From launch to the first transformer pass of a checkpoint.",
    discussion: """
      Opens a model folder as generation does, loads its transformer (of two experts the first to run) and runs one \
      pass; keys and values of a prompt of 512 random rows count to the pass. Reading the files once before takes the \
      disk out of the figure.
      """)

  @Option(
    help: "A model folder; wan synthesize makes one of full size.", completion: .directory, transform: PathArgument.path
  )
  var model: String

  @Option(help: ArgumentHelp("Latent frames x height x width of the pass.", valueName: "TxHxW"))
  var latent: LatentArgument = LatentArgument(frames: 5, height: 16, width: 16)

  @OptionGroup var quantized: Int8CacheOptions
  @OptionGroup var options: BenchOptions

  func validate() throws {
    try quantized.check(options.engine.precision)
  }

  func run() async throws {
    let sinceLaunch = Stopwatch.sinceLaunch()
    let folder = try ModelFolder(path: LocalHub.folder(for: model))
    let part = folder.transformers[.high]
    let backend = try options.engine.makeBackend()
    let loading = Stopwatch()
    let source = try quantized.cache?.source(part, backend: backend, log: Console.note) ?? part.source
    let transformer = try part.reading(source).load(on: backend, precision: options.engine.precision)
    let loadSeconds = loading.seconds
    let startSeconds = sinceLaunch.seconds
    let passing = Stopwatch()
    let pass = try TransformerPass(transformer, latent, on: backend)
    try pass.run()
    var report = BenchReport(part: "start", options: options, backend: backend)
    (report.model, report.latent, report.tokens) = (folder.family.name, latent.description, pass.tokens)
    (report.seconds, report.loadSeconds, report.passSeconds) = (startSeconds, loadSeconds, passing.seconds)
    report.layers = part.configuration.layers
    report.weightsGiB = BenchReport.gibibytes(part.source.byteCount)
    try report.show(options)
  }
}

/// Time since a moment, which may lie before this process's first instruction.
struct Stopwatch {
  private let start: ContinuousClock.Instant

  init() { start = .now }

  private init(start: ContinuousClock.Instant) { self.start = start }

  /// Since the system made this process, to a hundredth of a second; where it does not tell, since now.
  static func sinceLaunch() -> Stopwatch {
    let now = ContinuousClock.now
    return Stopwatch(start: now - .seconds(secondsSinceLaunch() ?? 0))
  }

  var seconds: Double { (ContinuousClock.now - start).inSeconds }

  /// Linux: field 22 of /proc/self/stat, in hundredths of a second after boot, against /proc/uptime.
  private static func secondsSinceLaunch() -> Double? {
    guard let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
      let uptime = try? String(contentsOfFile: "/proc/uptime", encoding: .utf8),
      let name = stat.lastIndex(of: ")")  // the name, field 2, may hold spaces
    else { return nil }
    let fields = stat[name...].split(separator: " ")
    guard fields.count > 20, let started = Double(fields[20]),
      let now = uptime.split(separator: " ").first.flatMap({ Double($0) })
    else { return nil }
    return max(0, now - started / 100)
  }
}
