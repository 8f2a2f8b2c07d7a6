import Layers
import Tensors

/// A tensor of a checkpoint as rows of numbers, with what LoRAs add to it.
struct TensorRows {
  /// [rows, columns]; the axes behind the first are one.
  let count, columns: Int
  /// As the checkpoint has it, where no LoRA changes it.
  let unchanged: StoredMatrix?
  private let stored: StoredMatrix
  private let updates: [(up: Tensor, down: any PreparedLinear, scale: Float)]

  /// - Parameters:
  ///   - adapters: whose changes are added.
  ///   - backend: multiplies the factors of LoRAs.
  init(
    _ request: TensorRequest, in source: any WeightSource, adapters: [LoRA], backend: any Backend
  ) throws(WeightError) {
    let shape = request.shape
    count = shape.rank > 1 ? shape[0] : 1
    columns = count == 0 ? 0 : shape.count / count
    let matrix: Shape = [count, columns]
    let whole = try source.matrix(request.name).cropped(to: shape).reshaped(matrix)
    var changes: [Tensor] = []
    var updates: [(up: Tensor, down: any PreparedLinear, scale: Float)] = []
    for adapter in adapters {
      if let update = try adapter.update(of: request.name) {
        // up down, as the product of up's rows with the columns of down.
        let down = update.down.converted(to: .f32).transposed
        updates.append(
          (update.up.converted(to: .f32), backend.prepare(.dense(down), bias: nil, precision: .f32), update.scale))
      }
      if let change = try adapter.wholeUpdate(of: request.name, matrix: { whole.dense.converted(to: .f32) }) {
        changes.append(change)
      }
      if request.use == .parameter, let change = try adapter.difference(of: request.name) { changes.append(change) }
    }
    unchanged = changes.isEmpty && updates.isEmpty ? whole : nil
    stored =
      changes.isEmpty
      ? whole : .dense(changes.reduce(whole.dense.converted(to: .f32)) { $0.adding($1) }.reshaped(matrix))
    self.updates = updates
  }

  /// What LoRAs of small factors add to some rows, [rows.count, columns] each, and by how much.
  func additions(
    _ rows: Range<Int>, _ backend: any Backend
  ) throws(DeviceError) -> [(numbers: Tensor, scale: Float)] {
    var additions: [(numbers: Tensor, scale: Float)] = []
    for update in updates {
      let up = backend.resident(update.up.slice(rows))
      additions.append((try backend.host(update.down(up, activation: .none, output: .f32)), update.scale))
    }
    return additions
  }

  /// Gives back the memory that the checkpoint's mapped pages hold.
  func discardCachedPages() { stored.discardCachedPages() }

  /// The numbers of some rows, without ``additions(_:_:)``.
  func floats(_ rows: Range<Int>) -> [Float] {
    switch stored {
    case .dense(let tensor): return tensor.slice(rows).floats()
    case .scaledRows(let bytes):
      return QuantizedRows(values: bytes.values.slice(rows), scales: bytes.scales.slice(rows)).floats.floats()
    case .encoded(let matrix):
      return Tensor.filled(shape: [rows.count, columns]) { matrix.decode(rows: rows, into: &$0) }.floats()
    }
  }
}

extension Tensor {
  /// A float32 matrix [K, N] out of one of [N, K].
  fileprivate var transposed: Tensor {
    let (rows, columns) = (shape[0], shape[1])
    return withSpan(of: Float.self) { x in
      Tensor.filled(shape: [columns, rows]) { y in
        for r in 0..<rows { for c in 0..<columns { y[c * rows + r] = x[r * columns + c] } }
      }
    }
  }
}
