import ArgumentParser
import Tensors
import WanKit

/// Self-attention of one prompt.
struct BenchAttention: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "attention", abstract: "Self-attention, heads of 128.")

  @Option(help: ArgumentHelp("Tokens.", valueName: "n"))
  var tokens: Int = 512

  @Option(help: ArgumentHelp("Heads.", valueName: "n"))
  var heads: Int = 24

  @OptionGroup var options: BenchOptions

  func validate() throws {
    guard (1...200_000).contains(tokens), (1...256).contains(heads) else {
      throw ValidationError("--tokens go from 1 to 200000, --heads from 1 to 256")
    }
  }

  func run() async throws {
    let backend = try options.engine.makeBackend()
    let parts = (1...3).map { seed in
      backend.cast(
        RandomWeights.normal([1, tokens, heads, 128], seed: UInt64(seed)), to: options.engine.precision.activations)
    }
    let attention = AttentionOptions(
      scale: 1 / Float(128).squareRoot(), allowsBytes: options.engine.precision == .int8)
    let seconds = medianSeconds(options) {
      _ = backend.attention(parts[0], parts[1], parts[2], attention)
    }
    var report = BenchReport(part: "attention", options: options, backend: backend)
    (report.tokens, report.heads, report.seconds) = (tokens, heads, seconds)
    report.gflops = 4 * Double(heads) * Double(tokens) * Double(tokens) * 128 / seconds / 1e9
    try report.show(options)
  }
}

/// One linear.
struct BenchGemm: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "gemm", abstract: "One linear: m rows, k in, n out.")

  @Option(help: "Rows.") var m: Int = 1080
  @Option(help: "Extent in.") var k: Int = 3072
  @Option(help: "Extent out.") var n: Int = 14_336

  @Option(
    help: ArgumentHelp(
      "How the weights are stored: \(StorageFormat.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "type"))
  var format: StorageFormat = .bf16

  @OptionGroup var options: BenchOptions

  func validate() throws {
    guard [m, k, n].allSatisfy((1...100_000).contains) else {
      throw ValidationError("--m, --k and --n go from 1 to 100000")
    }
    if let block = format.blocks?.block, k % block.elements != 0 {
      throw ValidationError(
        "--format \(format.rawValue) has blocks of \(block.elements): --k \(k) is no multiple of it")
    }
  }

  func run() async throws {
    let precision = options.engine.precision
    let backend = try options.engine.makeBackend()
    let x = backend.cast(backend.resident(RandomWeights.normal([m, k], seed: 1)), to: precision.activations)
    let matrix = format.matrix(RandomWeights.normal([n, k], seed: 2))
    let linear = backend.prepare(matrix, bias: Tensor.zeros([n]), precision: precision)
    let seconds = try medianSeconds(options) {
      _ = try backend.host(linear(x, activation: .none, output: precision.activations))
    }
    var report = BenchReport(part: "gemm", options: options, backend: backend)
    (report.m, report.k, report.n, report.seconds) = (m, k, n, seconds)
    report.weights = format.rawValue
    report.gflops = 2 * Double(m) * Double(k) * Double(n) / seconds / 1e9
    try report.show(options)
  }
}

extension StorageFormat {
  /// A matrix [N, K] in this format; traps where rows are no whole blocks.
  fileprivate func matrix(_ numbers: Tensor) -> StoredMatrix {
    switch self {
    case .fp32: .dense(numbers)
    case .bf16: .dense(numbers.converted(to: .bf16))
    case .fp16: .dense(numbers.converted(to: .f16))
    case .int8: .scaledRows(QuantizedRows(rounding: numbers))
    case .fp8, .q8_0, .q6_k, .q5_k, .q4_k, .q3_k, .q2_k, .q5_0, .q5_1, .q4_0, .q4_1:
      .encoded(Self.encoded(numbers, as: blocks ?? .e4m3))
    }
  }

  private static func encoded(_ numbers: Tensor, as coding: ElementCoding) -> EncodedMatrix {
    let codes = numbers.withSpan(of: Float.self) { coding.encode($0) }
    return EncodedMatrix(
      shape: numbers.shape, coding: coding,
      codes: Tensor(bytes: codes).reshaped([numbers.shape[0], codes.count / numbers.shape[0]]))
  }
}
