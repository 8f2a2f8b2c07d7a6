import ArgumentParser
import Tensors
import WanKit

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
