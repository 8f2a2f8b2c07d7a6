import ArgumentParser
import Tensors
import WanKit

/// Options of everything that computes.
struct EngineOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What to compute on: \(Devices.names), or auto for the best that there is.", valueName: "name"))
  var device: String = Devices.automatic

  @Option(
    help: """
      Numbers inside linears, convolutions and attention: bf16, f32 (the published numbers), or int8 (bytes in the \
      transformer's blocks, bf16 elsewhere).
      """)
  var precision: Precision = .bf16

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Threads to compute on; all cores unless given.", valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads \(threads) is not from 1 to 256")
    }
    do {
      _ = try Devices.device(named: device)
    } catch {
      throw ValidationError("--device \(error)")
    }
  }

  /// The backend of the device; ``validate()`` has found it.
  func makeBackend() throws -> any Backend {
    try Devices.device(named: device).makeBackend(self)
  }
}

/// Where a command keeps the weights that int8 multiplies.
struct Int8CacheOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Keep the weights of --precision int8 in a folder, or beside the model (auto), to start faster.",
      valueName: "off|auto|DIR"), completion: .directory, transform: PathArgument.path)
  var int8Cache: String = "off"

  /// - Throws: `ValidationError` for a folder that the precision has no use for.
  func check(_ precision: Precision) throws {
    guard int8Cache == "off" || precision == .int8 else {
      throw ValidationError("--int8-cache keeps weights of --precision int8; give both")
    }
  }

  var cache: QuantizedWeightCache? {
    switch int8Cache {
    case "off": nil
    case "auto": QuantizedWeightCache(.besideModel)
    default: QuantizedWeightCache(.folder(int8Cache))
    }
  }
}
