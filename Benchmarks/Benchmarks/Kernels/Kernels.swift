import Benchmark
import CPUBackend
import Tensors

/// Every benchmark of this target; the plugin makes the entry point around it.
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock], warmupIterations: 2, maxDuration: .seconds(3), maxIterations: 500)
  let backend = CPUBackend()
  registerLinears(backend)
  registerAttention(backend)
  registerConvolutions(backend)
  registerNorms(backend)
  registerElementwise(backend)
}

/// What one call of a kernel does, from which its rate is told.
enum Work {
  /// Two per product and sum.
  case operations(Int)
  /// Bytes read and written, each once.
  case bytes(Int)

  var metric: BenchmarkMetric {
    switch self {
    case .operations: .custom("GFLOP/s", polarity: .prefersLarger, useScalingFactor: false)
    case .bytes: .custom("MB/s", polarity: .prefersLarger, useScalingFactor: false)
    }
  }

  func rate(in duration: Duration) -> Int {
    let seconds = duration / .seconds(1)
    switch self {
    case .operations(let count): return Int((Double(count) / seconds / 1e9).rounded())
    case .bytes(let count): return Int((Double(count) / seconds / 1e6).rounded())
    }
  }
}

/// Registers one kernel; `prepare` makes inputs and weights when its turn comes, and gives the call to measure.
func kernel(_ name: String, _ work: Work, prepare: @escaping () -> () -> Void) {
  var configuration = Benchmark.defaultConfiguration
  configuration.metrics.append(work.metric)
  Benchmark(
    name, configuration: configuration,
    closure: { benchmark, call in
      let duration = ContinuousClock().measure(call)
      benchmark.measurement(work.metric, work.rate(in: duration))
    },
    setup: { prepare() })
}

/// Uniform numbers of variance 1.
func random(_ shape: Shape, _ dtype: DType = .f32) -> Tensor {
  var state: UInt64 = 0x9E37_79B9_7F4A_7C15
  return Tensor.filled(shape: shape) { values in
    for i in 0..<values.count {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      values[i] = Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31 * 1.732
    }
  }.converted(to: dtype)
}
