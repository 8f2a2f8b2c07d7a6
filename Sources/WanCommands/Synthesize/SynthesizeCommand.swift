import ArgumentParser
import Foundation
import WanKit

/// `wan synthesize`: a full-size checkpoint of random weights.
struct SynthesizeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "synthesize",
    abstract: "Writes a full-size checkpoint of random weights, for tests of memory and speed.",
    discussion: "The folder has the official layout, safetensors throughout, bf16. Its clips are noise.")

  @Argument(help: "ti2v-5b (20 GiB), t2v-a14b or i2v-a14b (64 GiB each).")
  var model: String

  @Argument(help: "The folder to make.")
  var folder: String

  @Option(help: ArgumentHelp("Seed of the weights.", valueName: "n"))
  var seed: UInt64 = 0

  func run() async throws {
    guard let synthetic = SyntheticModel.all.first(where: { $0.family.name == model }) else {
      let known = SyntheticModel.all.map(\.family.name).joined(separator: ", ")
      throw ValidationError("'\(model)' is not a model; known are \(known)")
    }
    try checkFolder(needing: synthetic.byteCount)
    do {
      try await interruptible {
        try synthetic.write(to: folder, seed: seed) { Console.note("writing \($0) (\(Format.gibibytes($1)))") }
      }
    } catch is CancellationError {
      Console.note("stopped; complete files were left in \(folder)")
      throw ExitCode(130)
    }
  }

  private func checkFolder(needing bytes: Int) throws {
    if let names = try? FileManager.default.contentsOfDirectory(atPath: folder), !names.isEmpty {
      throw CommandError("\(folder) is not empty; name a new folder")
    }
    var parent = URL(fileURLWithPath: folder)
    while !FileManager.default.fileExists(atPath: parent.path), parent.path != "/" { parent.deleteLastPathComponent() }
    let system = try? FileManager.default.attributesOfFileSystem(forPath: parent.path)
    if let free = (system?[.systemFreeSize] as? NSNumber)?.intValue, free < bytes {
      throw CommandError("\(folder) needs \(Format.gibibytes(bytes)), its disk has \(Format.gibibytes(free)) free")
    }
  }
}
