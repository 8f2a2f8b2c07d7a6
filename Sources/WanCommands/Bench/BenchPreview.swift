import ArgumentParser
import Files
import Foundation
import Layers
import Media
import Tensors
import WanKit
import WanModels

/// What a step's preview costs.
struct BenchPreview: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preview", abstract: "A step's preview: its pictures, and the files made of them beside the run.",
    discussion: """
      The run waits for the pictures alone: by the linear map, or by a tiny autoencoder. Files are written beside it, into \
      a folder of temporary files.
      """)

  @Option(help: "2.1 or 2.2.")
  var vae: String = "2.2"

  @Option(help: ArgumentHelp("Latent frames x height x width.", valueName: "TxHxW"))
  var latent: LatentArgument = LatentArgument(frames: 31, height: 30, width: 52)

  @OptionGroup var options: BenchOptions

  /// Seconds of each part.
  private struct Report: Encodable {
    let part = "preview"
    let vae, latent: String
    let colours, tiny: Double
    let files: [String: Double]

    var lines: [String] {
      ["preview of \(latent) latents, vae \(vae)", line("pictures by the linear map", colours)]
        + [line("pictures by a tiny autoencoder", tiny)]
        + files.sorted { $0.key < $1.key }.map { line("." + $0.key, $0.value) }
    }

    private func line(_ name: String, _ seconds: Double) -> String {
      "  \(name): \(Format.fixed(1000 * seconds, 1)) ms"
    }
  }

  func validate() throws {
    guard vae == "2.1" || vae == "2.2" else { throw ValidationError("--vae '\(vae)' is neither 2.1 nor 2.2") }
  }

  func run() async throws {
    let (colours, sizes): (LatentColours, TinyConfiguration) = vae == "2.1" ? (.wan21, .wan21) : (.wan22, .wan22)
    let backend = try options.engine.makeBackend()
    let latents = RandomWeights.normal([colours.channels, latent.frames, latent.height, latent.width], seed: 1)
    let decoder = try RandomWeights.network(TinyDecoder.self, sizes.forPreviews, options, backend)
    let linear = try measure(.colours(colours), latents)
    let tiny = try measure(.tiny(decoder), latents)
    let pictures = colours.pictures(of: latents)
    let preview = StepPreview(step: 1, steps: 1, pictures: pictures, frameRate: FrameRate(24, over: 4))
    var files: [String: Double] = [:]
    for format in PreviewPlace.Format.allCases { files[format.rawValue] = try await measure(preview, format) }
    let report = Report(vae: vae, latent: latent.description, colours: linear, tiny: tiny, files: files)
    if options.json { Console.json(report) } else { for line in report.lines { Console.out(line) } }
    try Console.requireOutput()
  }

  private func measure(_ source: PreviewSource, _ latents: Tensor) throws -> Double {
    try medianSeconds(options) { _ = try source.pictures(of: latents) }
  }

  /// Of a whole file: enlarged, encoded, on the disk.
  private func measure(_ preview: StepPreview, _ format: PreviewPlace.Format) async throws -> Double? {
    guard format == .png || (try? FFmpeg.fromEnvironment()) != nil else { return nil }
    let ffmpeg: FFmpeg? = format == .png ? nil : try .fromEnvironment()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wan-preview-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let place = try PreviewPlace(folder.appendingPathComponent("a.\(format.rawValue)").path)
    let started = ContinuousClock.now
    try await PreviewImage(preview, format).write(to: place, ffmpeg: ffmpeg)
    return (ContinuousClock.now - started).inSeconds
  }
}
