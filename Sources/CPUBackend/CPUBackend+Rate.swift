import CKernels
import Synchronization
public import Tensors

extension CPUBackend {
  /// Operations per second, a product and a sum being two, that loops of independent multiply-adds reach on all threads:
  /// what nothing that multiplies in this precision passes. Takes half a second.
  public func multiplicationRate(_ precision: Precision) -> Double {
    let factors =
      switch precision {
      case .f32: WAN_FACTORS_F32
      case .bf16: WAN_FACTORS_BF16
      case .int8: WAN_FACTORS_I8
      }
    // Threads do not wake at once, and others may be at work beside them: the best of several stretches counts.
    return (0..<8).map { _ in rate(factors, rounds: 1 << 21) }.max() ?? 0
  }

  private func rate(_ factors: wan_factors_t, rounds: Int) -> Double {
    let done = Mutex(0.0)
    let start = ContinuousClock.now
    threads.run(threads.count) { _, _ in
      let operations = wan_multiply_loop(factors, rounds)
      done.withLock { $0 += operations }
    }
    return done.withLock { $0 } / ((ContinuousClock.now - start) / .seconds(1))
  }
}
