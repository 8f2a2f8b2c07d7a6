import ArgumentParser
import Tensors
import WanKit

/// Options of everything that computes.
struct EngineOptions: ParsableArguments {
  @OptionGroup(title: "Engine") var hardware: HardwareOptions

  @Option(
    help: """
      Numbers inside linears, convolutions and attention: bf16, f32 (the published numbers), or int8 (bytes in the \
      transformer's blocks, bf16 elsewhere).
      """)
  var precision: Precision = .bf16

  /// As asked for.
  var threads: Int? { hardware.threads }

  /// The backend of the device, which has been found.
  func makeBackend() throws -> any Backend { try hardware.makeBackend() }
}

/// What to compute on.
struct HardwareOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What to compute on: \(Devices.names), or auto for the best that there is.", valueName: "name"))
  var device: String = Devices.automatic

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
    try Devices.device(named: device).makeBackend(threads)
  }
}

/// How much memory a run may take.
struct MemoryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What the process may take in memory, such as 12GiB: weights that do not fit are read from the disk while others \
      compute. What is free, unless given.
      """, valueName: "size"), transform: ByteCountArgument.byteCount)
  var memory: Int?

  /// The limit that a plan is made within.
  ///
  /// - Parameter isForced: whether it is to run even where it cannot be kept.
  func limit(_ machine: MachineMemory = MachineMemory(), isForced: Bool) -> MachineMemory.Limit {
    memory.map { .init($0, isForced ? .free : .asked) } ?? machine.free()
  }
}

/// A number of bytes as people write it: 12GiB, 6.5G, 800MB.
enum ByteCountArgument {
  private static let units: [(name: String, bytes: Double)] = [
    ("kib", 0x1p10), ("mib", 0x1p20), ("gib", 0x1p30), ("tib", 0x1p40), ("kb", 1e3), ("mb", 1e6), ("gb", 1e9),
    ("tb", 1e12), ("k", 0x1p10), ("m", 0x1p20), ("g", 0x1p30), ("t", 0x1p40), ("b", 1),
  ]

  static func byteCount(_ text: String) throws -> Int {
    let lower = text.lowercased().filter { $0 != " " }
    let unit = units.first { lower.hasSuffix($0.name) }
    let number = Double(lower.dropLast(unit?.name.count ?? 0))
    guard let unit, let number, number.isFinite, number > 0, number * unit.bytes < 0x1p60 else {
      throw ValidationError("'\(text)' is not a size; write a number and a unit, such as 12GiB or 800MB")
    }
    return Int(number * unit.bytes)
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
