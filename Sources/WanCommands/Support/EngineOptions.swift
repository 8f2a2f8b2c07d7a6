import ArgumentParser
import CPUBackend
import Tensors

/// Options of everything that computes.
struct EngineOptions: ParsableArguments {
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
  }

  func makeBackend() -> any Backend { CPUBackend(threads: threads) }
}
