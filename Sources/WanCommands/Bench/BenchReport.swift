import CPUBackend
import Foundation
import Tensors
import WanKit

/// One measurement, with the keys that other implementations' benchmarks use.
struct BenchReport: Encodable {
  let part: String
  var model, vae, latent, tiles: String?
  var tokens, layers, heads, m, k, n: Int?
  var dtype: String?
  /// How the weights are stored.
  var weights: String?
  var tinySeconds, tinyFactor: Double?
  var seconds, decodeSeconds, encodeSeconds, loadSeconds, passSeconds, gflops: Double?
  /// Bytes of the checkpoint's tensors, for those parts whose memory is told.
  var weightsGiB: Double?
  let threads: Int
  let backend: String
  let peakRSSGiB: Double

  enum CodingKeys: String, CodingKey {
    case part, model, vae, latent, tiles, tokens, layers, heads, m, k, n, dtype, weights, seconds, gflops, threads,
      backend
    case decodeSeconds = "decode_seconds"
    case encodeSeconds = "encode_seconds"
    case tinySeconds = "tiny_decode_seconds"
    case tinyFactor = "tiny_factor"
    case loadSeconds = "load_seconds"
    case passSeconds = "pass_seconds"
    case weightsGiB = "weights_gib"
    case peakRSSGiB = "peak_rss_gib"
  }

  init(part: String, options: BenchOptions, backend: any Backend) {
    self.part = part
    dtype = options.engine.precision.rawValue
    threads = options.engine.threads ?? ProcessInfo.processInfo.activeProcessorCount
    self.backend = backend.name
    peakRSSGiB = Self.gibibytes(CPUBackend.peakMemory())
  }

  /// GiB to two places.
  static func gibibytes(_ bytes: Int) -> Double {
    (Double(bytes) / Double(1 << 30) * 100).rounded() / 100
  }

  /// - Throws: status 1 when it could not be written.
  func show(_ options: BenchOptions) throws {
    if options.json { Console.json(self) } else { showLines() }
    try Console.requireOutput()
  }

  private func showLines() {
    let size = [
      model, vae.map { "vae \($0)" }, latent, tiles.map { "\($0) tiles" }, tokens.map { "\($0) tokens" },
      layers.map { "\($0) layers" }, weights.map { "weights in \($0)" },
    ]
    Console.out(([part] + size.compactMap { $0 }).joined(separator: " ") + ", \(dtype ?? ""), \(backend)")
    let times = [
      ("seconds", seconds), ("decode", decodeSeconds), ("encode", encodeSeconds), ("tiny decode", tinySeconds),
      ("load", loadSeconds),
      ("first pass", passSeconds),
    ]
    for (name, value) in times {
      if let value { Console.out("  \(name): \(Format.fixed(value, 4)) s") }
    }
    if let tinyFactor { Console.out("  tiny is faster: \(Format.fixed(tinyFactor, 1)) times") }
    if let gflops { Console.out("  rate: \(Format.fixed(gflops, 1)) GFLOP/s") }
    if let weightsGiB { Console.out("  weights: \(weightsGiB) GiB") }
    Console.out("  peak memory: \(peakRSSGiB) GiB")
  }
}

/// The median of several runs after those that warm up, in seconds.
func medianSeconds(_ options: BenchOptions, _ body: () throws -> Void) rethrows -> Double {
  for _ in 0..<options.warmUps { try body() }
  var times: [Double] = []
  for _ in 0..<options.repeats {
    let start = ContinuousClock.now
    try body()
    times.append((ContinuousClock.now - start).inSeconds)
  }
  let sorted = times.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
