import CPUBackend
import Synchronization
import Tensors

/// A backend that counts the prepared linears that are alive at once.
final class CountingBackend: Backend {
  private let base = CPUBackend(threads: 2)
  private let alive = Mutex<[Weak]>([])
  private let peak = Mutex(0)
  private let batches = Mutex<Set<Int>>([])

  private struct Weak: Sendable {
    weak let weights: (any LinearWeights)?
  }

  var name: String { "counting " + base.name }

  /// The most prepared weights at one time since the last reset.
  var mostAlive: Int { peak.withLock { $0 } }

  /// Batch sizes that attention saw: 2 for guided passes.
  var batchSizes: Set<Int> { batches.withLock { $0 } }

  func reset() {
    peak.withLock { $0 = 0 }
  }

  private func count(_ weights: any LinearWeights) {
    let count = alive.withLock { alive in
      alive.removeAll { $0.weights == nil }
      alive.append(Weak(weights: weights))
      return alive.count
    }
    peak.withLock { $0 = max($0, count) }
  }

  func prepareLinear(_ weight: Tensor, bias: Tensor?, precision: Precision) -> any LinearWeights {
    let weights = base.prepareLinear(weight, bias: bias, precision: precision)
    count(weights)
    return weights
  }

  func prepareLinear(_ weight: QuantizedRows, bias: Tensor?) -> any LinearWeights {
    let weights = base.prepareLinear(weight, bias: bias)
    count(weights)
    return weights
  }

  func quantizedRows(_ x: Tensor) -> QuantizedRows { base.quantizedRows(x) }

  func prepareConvolution(_ weight: Tensor, bias: Tensor?, precision: Precision) -> any ConvolutionWeights {
    base.prepareConvolution(weight, bias: bias, precision: precision)
  }

  func prepareUpsampledConvolution(_ weight: Tensor, bias: Tensor?, precision: Precision) -> any ConvolutionWeights {
    base.prepareUpsampledConvolution(weight, bias: bias, precision: precision)
  }

  func linear(_ x: Tensor, _ weights: any LinearWeights, activation: Activation, output: DType) -> Tensor {
    base.linear(x, weights, activation: activation, output: output)
  }

  func convolution(
    _ x: Tensor, history: Tensor?, _ weights: any ConvolutionWeights, geometry: ConvolutionGeometry, output: DType
  ) -> Tensor {
    base.convolution(x, history: history, weights, geometry: geometry, output: output)
  }

  func upsampledConvolution(_ x: Tensor, _ weights: any ConvolutionWeights, output: DType) -> Tensor {
    base.upsampledConvolution(x, weights, output: output)
  }

  func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ options: AttentionOptions) -> Tensor {
    if options.keyBias != nil { _ = batches.withLock { $0.insert(q.shape[0]) } }
    return base.attention(q, k, v, options)
  }

  func layerNorm(_ x: Tensor, scale: RowTable, shift: RowTable, epsilon: Float, output: DType) -> Tensor {
    base.layerNorm(x, scale: scale, shift: shift, epsilon: epsilon, output: output)
  }

  func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, output: DType) -> Tensor {
    base.rmsNorm(x, weight: weight, epsilon: epsilon, output: output)
  }

  func channelNorm(_ x: Tensor, gamma: Tensor, activation: Activation) -> Tensor {
    base.channelNorm(x, gamma: gamma, activation: activation)
  }

  func rotary(_ x: Tensor, table: Tensor) -> Tensor {
    base.rotary(x, table: table)
  }

  func rmsNormRotary(_ x: Tensor, weight: Tensor, epsilon: Float, table: Tensor) -> Tensor {
    base.rmsNormRotary(x, weight: weight, epsilon: epsilon, table: table)
  }

  func addGated(_ y: Tensor, gate: RowTable, to x: inout Tensor) {
    base.addGated(y, gate: gate, to: &x)
  }

  func add(_ x: Tensor, _ y: Tensor) -> Tensor { base.add(x, y) }
  func multiply(_ x: Tensor, _ y: Tensor) -> Tensor { base.multiply(x, y) }
  func activate(_ x: Tensor, _ activation: Activation) -> Tensor { base.activate(x, activation) }
  func cast(_ x: Tensor, to dtype: DType) -> Tensor { base.cast(x, to: dtype) }

  func gather(_ table: Tensor, indices: [Int32], output: DType) -> Tensor {
    base.gather(table, indices: indices, output: output)
  }

  func permuted(_ x: Tensor, _ axes: [Int]) -> Tensor { base.permuted(x, axes) }
  func concatenated(_ tensors: [Tensor]) -> Tensor { base.concatenated(tensors) }
  func meanOfGroups(_ x: Tensor, size: Int) -> Tensor { base.meanOfGroups(x, size: size) }
  func repeatedElements(_ x: Tensor, count: Int) -> Tensor { base.repeatedElements(x, count: count) }
}
