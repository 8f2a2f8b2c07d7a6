import Layers
import Tensors

/// Shift, scale and gate of one sub-layer, a row for each distinct timestep.
struct Modulation {
  /// Added to the normalised input.
  let shift: RowTable
  /// Multiplied with the normalised input; 1 is already added.
  let scale: RowTable
  /// Multiplied with the sub-layer's output; unused by the head, whose last entry is the scale.
  let gate: RowTable

  /// - Parameters:
  ///   - learned: [n, D], the layer's own modulation.
  ///   - e: [R, n, D] or [R, D], the time embedding of each distinct timestep; [R, D] serves all n.
  ///   - first: which of the n entries is the shift; scale and gate follow it.
  init(learned: Tensor, e: Tensor, first: Int, runs: [RowTable.Run]) {
    func rows(_ index: Int, plus constant: Float = 0) -> RowTable {
      RowTable(Self.sum(learned, e, index, plus: constant), runs: runs)
    }
    shift = rows(first)
    scale = rows(first + 1, plus: 1)
    gate = rows(min(first + 2, learned.shape[0] - 1))
  }

  /// learned[index] + e[:, index] + constant: [R, D]
  private static func sum(_ learned: Tensor, _ e: Tensor, _ index: Int, plus constant: Float) -> Tensor {
    let dimension = learned.shape[1]
    let perEntry = e.shape.rank == 3
    let rows = e.shape[0]
    return Tensor.filled(shape: [rows, dimension]) { sum in
      learned.withSpan(of: Float.self) { learned in
        e.withSpan(of: Float.self) { e in
          for row in 0..<rows {
            let start = perEntry ? (row * 6 + index) * dimension : row * dimension
            for d in 0..<dimension {
              sum[row * dimension + d] = learned[index * dimension + d] + e[start + d] + constant
            }
          }
        }
      }
    }
  }
}
