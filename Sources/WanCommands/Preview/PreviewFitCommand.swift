import ArgumentParser
import Files
import Foundation
import WanKit
import WanModels

/// `wan preview-fit`: the colours of a VAE's latents.
struct PreviewFitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preview-fit",
    abstract: "Computes the colours of previews from a model's own VAE.",
    discussion: """
      For a VAE that is not the published one: its latents of procedural clips are fitted to the colours that it makes of \
      them. --preview takes the numbers from preview.json in the model's folder.
      """)

  @Argument(
    help: "A model's folder, or what 'wan pull' has downloaded.", completion: .directory, transform: PathArgument.path)
  var model: String

  @Option(
    name: .shortAndLong, help: "The file to write; preview.json in the model's folder unless given.",
    completion: .file(), transform: PathArgument.path)
  var output: String?

  @Flag(help: "One JSON object.")
  var json = false

  @OptionGroup(title: "Engine") var hardware: HardwareOptions

  /// What was found.
  private struct Report: Encodable {
    let output: String
    let channels, samples: Int
    let explained, residual: Double
  }

  func run() async throws {
    let folder = try LocalHub.folder(for: model)
    let parts = PartPaths(searched: ModelOptions.searched)
    let opened = try ModelOptions.open(folder, parts)
    let output = try target(folder)
    guard let autoencoder = opened.autoencoder else { throw CommandError("\(folder): it has no VAE") }
    let backend = try hardware.makeBackend()
    let isTold = !json
    let fit: PreviewFit
    do {
      fit = try await interruptible {
        let progress = ConversionProgress(isShown: isTold)
        return try PreviewFit(autoencoder, on: backend) { progress.tell("", $0, $1) }
      }
    } catch is CancellationError {
      Console.note("stopped; nothing was written")
      throw ExitCode(130)
    }
    try PreviewFile.write(fit, to: output)
    let report = Report(
      output: output, channels: fit.colours.channels, samples: fit.samples, explained: fit.explained,
      residual: fit.residual)
    if json { Console.json(report) } else { show(report) }
    try Console.requireOutput()
  }

  /// Looks at the file's place before anything is computed.
  private func target(_ folder: String) throws -> String {
    guard output != nil || FileStatus(path: folder)?.kind == .folder else {
      throw CommandError("\(folder) is no folder that could keep \(PreviewFile.name); name the file with --output")
    }
    let path = output ?? Paths.join(folder, PreviewFile.name)
    do throws(OutputError) {
      try OutputTarget(path).check()
    } catch {
      throw CommandError("cannot write '\(path)': \(error)")
    }
    return path
  }

  private func show(_ report: Report) {
    Console.out(
      "\(report.channels) latent channels, fitted to \(report.samples) latent pixels: explains "
        + "\(Format.fixed(100 * report.explained, 1)) % of the colours of other clips, "
        + "\(Format.fixed(127.5 * report.residual, 1)) of 255 left")
    Console.out("wrote \(report.output)")
  }
}
