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

  @Argument(help: "The folder to make.", completion: .directory, transform: PathArgument.path)
  var folder: String

  @Option(help: ArgumentHelp("Seed of the weights.", valueName: "n"))
  var seed: UInt64 = 0

  func validate() throws {
    _ = try SyntheticModel(named: model)
  }

  func run() async throws {
    let synthetic = try SyntheticModel(named: model)
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

  /// Checks that the folder is new or empty and that its disk has room.
  private func checkFolder(needing bytes: Int) throws {
    let path = URL(fileURLWithPath: folder).path
    if FileManager.default.fileExists(atPath: path), !FileManager.default.fileExists(atPath: path + "/.") {
      throw CommandError("\(folder) is not a folder; name a new one")
    }
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
