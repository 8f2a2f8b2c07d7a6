import ArgumentParser
import WanKit

/// `wan convert`: the same model in other files.
struct ConvertCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Stores a model or a checkpoint in another type or layout.",
    discussion: """
      The input is a model's folder or one checkpoint of any layout that is read. A folder becomes a folder, a file a \
      file. The output appears under its name when all of it is written and has been read back.

      Types: fp32, bf16 and fp16 for everything large; fp8 and int8 (ComfyUI's scaled forms) and GGUF's q8_0 to q2_k for \
      the linears of the blocks, while norms, biases, modulations and embeddings keep 16 or 32 bits.
      """)

  @Argument(help: "A model's folder, or a checkpoint's file.", completion: .file(), transform: PathArgument.path)
  var input: String

  @Argument(
    help: "The folder or file to make: .safetensors, or .gguf.", completion: .file(), transform: PathArgument.path)
  var output: String

  @Option(name: .shortAndLong, help: "What large matrices are stored as.")
  var format: StorageFormat

  @Option(
    help: """
      Whose names and folders: official (Wan-AI), diffusers, comfy or gguf; the input's own, or the one that the format is \
      for, unless given.
      """)
  var layout: StorageLayout?

  @Option(
    name: .customLong("lora"),
    help: ArgumentHelp("A LoRA to merge, any number of times.", valueName: "FILE[=STRENGTH][:high|low]"),
    completion: .file())
  var adapters: [LoRAArgument] = []

  @Flag(help: "One JSON object at the end.")
  var json = false

  @Flag(name: .shortAndLong, help: "Errors and warnings only.")
  var quiet = false

  func run() async throws {
    let request = ConversionRequest(
      input: input, output: output, format: format, layout: layout, adapters: adapters.map(\.request))
    let conversion = try Conversion(request)
    for notice in conversion.notices { Console.note(notice) }
    let isTold = !quiet && !json
    if isTold {
      for file in conversion.files {
        Console.out("\(file.name): \(Format.gibibytes(file.bytes)), \(Self.types(file.types))")
      }
    }
    let backend = try EngineOptions.parse([]).makeBackend()
    let report: ConversionReport
    do {
      report = try await interruptible {
        let progress = ConversionProgress(isShown: isTold)
        return try conversion.run(on: backend) { progress.tell($0, $1, $2) }
      }
    } catch is CancellationError {
      Console.note("stopped; nothing was left of \(output)")
      throw ExitCode(130)
    }
    if json {
      Console.json(report)
    } else if isTold {
      for file in report.files {
        guard let error = file.largestError, let name = file.worstTensor else { continue }
        Console.out(
          "\(file.name): largest relative error \(Format.fixed(100 * error, 3)) % ('\(name)')")
      }
      Console.out("wrote \(output) (\(Format.gibibytes(report.bytes))) and read it back")
    }
  }

  private static func types(_ counts: [String: Int]) -> String {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) x \($0.key)" }.joined(separator: ", ")
  }
}

/// Tells every tenth of a conversion once, of one that takes a while.
final class ConversionProgress {
  private let isShown: Bool
  private var told = 0
  private let started = ContinuousClock.now

  init(isShown: Bool) { self.isShown = isShown }

  func tell(_ file: String, _ done: Int, _ all: Int) {
    let tenths = all > 0 ? 10 * done / all : 10
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    guard isShown, tenths > told, tenths < 10, seconds > 2 else { return }
    told = tenths
    let left = done > 0 ? seconds / Double(done) * Double(all - done) : 0
    Console.note("\(10 * tenths) %, \(Format.duration(left)) left")
  }
}
