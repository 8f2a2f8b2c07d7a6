import CPUBackend
import Synchronization
import Tensors
import TestSupport

/// A backend that counts the prepared linears that are alive at once.
final class CountingBackend: WrappedBackend {
  let base: any Backend = CPUBackend(threads: 2)
  private let alive = Mutex<[Weak]>([])
  private let peak = Mutex(0)
  private let batches = Mutex<Set<Int>>([])

  private struct Weak: Sendable {
    weak let weights: (any PreparedLinear)?
  }

  var name: String { "counting " + base.name }

  /// The most prepared weights at one time since the last reset.
  var mostAlive: Int { peak.withLock { $0 } }

  /// Batch sizes that attention saw: 2 for guided passes.
  var batchSizes: Set<Int> { batches.withLock { $0 } }

  func reset() {
    peak.withLock { $0 = 0 }
  }

  private func count(_ weights: any PreparedLinear) {
    let count = alive.withLock { alive in
      alive.removeAll { $0.weights == nil }
      alive.append(Weak(weights: weights))
      return alive.count
    }
    peak.withLock { $0 = max($0, count) }
  }

  func prepare(_ matrix: StoredMatrix, bias: Tensor?, precision: Precision) -> any PreparedLinear {
    let linear = base.prepare(matrix, bias: bias, precision: precision)
    count(linear)
    return linear
  }

  func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) -> Tensor {
    if options.keyBias != nil { _ = batches.withLock { $0.insert(q.shape[0]) } }
    return base.attention(q, k, v, options)
  }
}
