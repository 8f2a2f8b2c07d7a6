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

  @Argument(help: "ti2v-5b (21 GiB in bf16), t2v-a14b or i2v-a14b (64 GiB each).")
  var model: String

  @Argument(help: "The folder to make.", completion: .directory, transform: PathArgument.path)
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
    let deepest = try SyntheticModel(named: model).transformer.layers
    if let layers, !(1...deepest).contains(layers) {
      throw ValidationError("--layers \(layers) is not from 1 to \(deepest)")
    }
  }

  func run() async throws {
    let named = try SyntheticModel(named: model)
    let synthetic = layers.map(named.with) ?? named
    let conversion = try Conversion(synthetic, seed: seed, to: folder, as: format, layout: layout)
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

extension SyntheticModel {
  /// The model that a user names.
  init(named name: String) throws(ValidationError) {
    guard let model = Self.all.first(where: { $0.family.name == name }) else {
      let known = Self.all.map(\.family.name).joined(separator: ", ")
      throw ValidationError("'\(name)' is not a model that can be synthesized; known are \(known)")
    }
    self = model
  }
}
