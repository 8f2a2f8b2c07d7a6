import ArgumentParser
import Foundation
import WanKit
import WanModels

/// `wan synthesize`: a full-size checkpoint of random weights.
struct SynthesizeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "synthesize",
    abstract: "Writes a full-size checkpoint of random weights, for tests of memory and speed.",
    discussion: "The same types and layouts as 'wan convert'. Its clips are noise.")

  @Argument(
    help: "ti2v-5b (21 GiB in bf16), t2v-a14b or i2v-a14b (64 GiB each); taew2_1 or taew2_2 for a tiny autoencoder.")
  var model: String

  @Argument(
    help: "The folder to make; of a tiny autoencoder the .safetensors file.", completion: .directory,
    transform: PathArgument.path)
  var folder: String

  @Option(help: ArgumentHelp("Seed of the weights.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(name: .shortAndLong, help: "What large matrices are stored as.")
  var format: StorageFormat = .bf16

  @Option(help: "Whose names and folders: official, diffusers, comfy or gguf; the one that the format is for.")
  var layout: StorageLayout?

  @Option(help: ArgumentHelp("Blocks of each transformer; those of the published model unless given.", valueName: "n"))
  var layers: Int?

  func validate() throws {
    if TinyConfiguration(named: model) != nil {
      guard layers == nil, layout == nil else {
        throw ValidationError("--layers and --layout are of whole models, and \(model) is one file")
      }
      return
    }
    let deepest = try SyntheticModel(named: model).transformer.layers
    if let layers, !(1...deepest).contains(layers) {
      throw ValidationError("--layers \(layers) is not from 1 to \(deepest)")
    }
  }

  func run() async throws {
    let conversion = try conversion()
    for file in conversion.files {
      Console.note("will write \(file.name) (\(Format.gibibytes(file.bytes)))")
    }
    let backend = try EngineOptions.parse([]).makeBackend()
    do {
      _ = try await interruptible {
        let progress = ConversionProgress(isShown: true)
        return try conversion.run(on: backend) { progress.tell($0, $1, $2) }
      }
    } catch is CancellationError {
      Console.note("stopped; nothing was left of \(folder)")
      throw ExitCode(130)
    }
  }
}

extension SynthesizeCommand {
  private func conversion() throws -> Conversion {
    if let tiny = TinyConfiguration(named: model) {
      return try Conversion(tiny, seed: seed, to: folder, as: format)
    }
    let named = try SyntheticModel(named: model)
    return try Conversion(layers.map(named.with) ?? named, seed: seed, to: folder, as: format, layout: layout)
  }
}

extension TinyConfiguration {
  /// The tiny autoencoder that a user names; `nil` where it is none.
  init?(named name: String) {
    guard let known = Self.published.first(where: { $0.name == name }) else { return nil }
    self = known.configuration
  }
}

extension SyntheticModel {
  /// The model that a user names.
  init(named name: String) throws(ValidationError) {
    guard let model = Self.all.first(where: { $0.family.name == name }) else {
      let known = (Self.all.map(\.family.name) + TinyConfiguration.published.map(\.name)).joined(separator: ", ")
      throw ValidationError("'\(name)' is not a model that can be synthesized; known are \(known)")
    }
    self = model
  }
}
