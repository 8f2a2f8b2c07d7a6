import Layers
import Tensors

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
