import Layers
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Timesteps to the vectors that modulate every layer; float32 throughout, one row per distinct timestep.
struct TimeEmbedding: Sendable {
  private let frequencies: Int
  private let linear1, linear2, projection: Linear
  private let backend: any Backend

  init(_ w: Weights, _ configuration: TransformerConfiguration) {
    let w = w.inFloat32
    let d = configuration.dimension
    frequencies = configuration.timeFrequencies
    backend = w.backend
    linear1 = Linear(w["time_embedding"][0], frequencies, d)
    linear2 = Linear(w["time_embedding"][2], d, d)
    projection = Linear(w["time_projection"][1], d, 6 * d)
  }

  /// R timesteps -> e [R, D] for the head, e0 [6, R, D] for the blocks.
  func callAsFunction(_ timesteps: [Float]) -> (e: Tensor, e0: Tensor) {
    let e = linear2(linear1(sinusoid(timesteps), .silu))
    let e0 = projection(backend.activate(e, .silu)).reshaped([timesteps.count, 6, e.shape.last])
    return (e, backend.permuted(e0, [1, 0, 2]))
  }

  /// Cosines, then sines, of t / 10000^(i / half) in double precision: [R, frequencies].
  private func sinusoid(_ timesteps: [Float]) -> Tensor {
    let half = frequencies / 2
    let rows = timesteps.flatMap { t in
      let angles = (0..<half).map { Double(t) * pow(10_000, -Double($0) / Double(half)) }
      return angles.map { Float(cos($0)) } + angles.map { Float(sin($0)) }
    }
    return backend.tensor(rows, [timesteps.count, frequencies])
  }
}

/// What the time embedding adds to a layer's own modulation: shifts, scales and gates of its sub-layers, a row for each
/// distinct timestep.
struct Modulation {
  /// [n, R, D]: each of the layer's n vectors with the time embedding of each timestep.
  private let sums: Tensor
  private let runs: [RowTable.Run]
  private let backend: any Backend

  /// - Parameters:
  ///   - learned: [n, D], the layer's own modulation.
  ///   - e: [n, R, D], or [1, R, D] that serves all n: the time embedding of each distinct timestep.
  init(learned: Tensor, e: Tensor, runs: [RowTable.Run], _ backend: any Backend) {
    let (n, d) = (learned.shape[0], learned.shape[1])
    sums = backend.add(learned.reshaped([n, 1, d]), e)
    self.runs = runs
    self.backend = backend
  }

  /// Added to the normalised input, or multiplied with a sub-layer's output.
  subscript(index: Int) -> RowTable { RowTable(sums[index], runs: runs) }

  /// Multiplied with the normalised input: 1 + what was learned.
  func scale(_ index: Int) -> RowTable {
    RowTable(backend.add(sums[index], backend.tensor([1], [1])), runs: runs)
  }
}
