import Checkpoints
import Tensors

/// A change of a whole matrix [N, K]: what a pair of small factors cannot hold.
///
/// LoKr and LoHa (LyCORIS, https://arxiv.org/abs/2309.14859), DoRA (https://arxiv.org/abs/2402.09353), and differences
/// that are stored whole.
struct MatrixChange {
  private let module: AdapterFile.Module
  private let file: AdapterFile

  init(_ module: AdapterFile.Module, _ file: AdapterFile) {
    (self.module, self.file) = (module, file)
  }

  /// What is added to the matrix, [N, K] float32.
  ///
  /// - Parameter matrix: the network's own [N, K], asked for only where the change depends on it.
  func difference(from matrix: () -> Tensor, strength: Float) throws(WeightError) -> Tensor {
    let base = matrix()
    let (rows, columns) = (base.shape[0], base.count / max(1, base.shape[0]))
    var delta = try self.delta(rows, columns)
    if let name = module.tensors[.magnitude] {
      delta = normalised(delta, base.floats(), try floats(name), rows, columns)
    }
    return Tensor(delta.map { $0 * strength }, shape: [rows, columns])
  }

  /// The sum of all parts of the change before any norm, row by row.
  private func delta(_ rows: Int, _ columns: Int) throws(WeightError) -> [Float] {
    var delta = [Float](repeating: 0, count: rows * columns)
    if let name = module.tensors[.difference] { add(try floats(name), 1, to: &delta) }
    if let pair = try product(.up, .down) {
      add(pair.values, try file.scale(of: module, rank: pair.rank), to: &delta)
    }
    if let left = try product(.productLeftA, .productLeftB), let right = try product(.productRightA, .productRightB) {
      let scale = try file.scale(of: module, rank: left.rank)
      for i in delta.indices { delta[i] += scale * left.values[i] * right.values[i] }
    }
    if let left = try factor(.kroneckerLeft, .kroneckerLeftA, .kroneckerLeftB),
      let right = try factor(.kroneckerRight, .kroneckerRightA, .kroneckerRightB)
    {
      let scale = try file.scale(of: module, rank: right.rank ?? left.rank)
      let inner = (rows: right.shape[0], columns: right.count / max(1, right.shape[0]))
      let outer = left.count / max(1, left.shape[0])
      let (a, b) = (left.values, right.values)
      for i in 0..<rows {
        for j in 0..<columns {
          delta[i * columns + j] +=
            scale * a[i / inner.rows * outer + j / inner.columns]
            * b[i % inner.rows * inner.columns + j % inner.columns]
        }
      }
    }
    return delta
  }

  private func add(_ values: [Float], _ scale: Float, to delta: inout [Float]) {
    for i in delta.indices { delta[i] += scale * values[i] }
  }

  /// m V / |V| - W for V = W + delta, norms over rows, or over columns where there is one of each.
  private func normalised(
    _ delta: [Float], _ base: [Float], _ magnitude: [Float], _ rows: Int, _ columns: Int
  ) -> [Float] {
    let changed = zip(base, delta).map { $0 + $1 }
    let isOfRows = magnitude.count == rows && !(module.isOfColumns(file.source) && magnitude.count == columns)
    var squares = [Double](repeating: 0, count: isOfRows ? rows : columns)
    for i in changed.indices {
      squares[isOfRows ? i / columns : i % columns] += Double(changed[i]) * Double(changed[i])
    }
    return changed.indices.map { i in
      let place = isOfRows ? i / columns : i % columns
      let norm = squares[place].squareRoot()
      return norm > 0 ? Float(Double(magnitude[place]) / norm * Double(changed[i])) - base[i] : delta[i]
    }
  }

  // MARK: Parts

  private struct Factor {
    let shape: Shape
    let values: [Float]
    /// The rank of the pair that it is the product of.
    let rank: Int?
    var count: Int { values.count }
  }

  private func floats(_ name: String) throws(WeightError) -> [Float] { try file.source.matrix(name).dense.floats() }

  /// a b of [N, r] and [r, K], each flattened behind its first axis.
  private func product(
    _ a: AdapterFile.Role, _ b: AdapterFile.Role
  ) throws(WeightError) -> (shape: Shape, values: [Float], rank: Int)? {
    guard let first = module.tensors[a], let second = module.tensors[b],
      let (rows, rank) = file.source.descriptor(first).map({ ($0.shape[0], $0.shape.count / max(1, $0.shape[0])) }),
      let columns = file.source.descriptor(second).map({ $0.shape.count / max(1, $0.shape[0]) })
    else { return nil }
    let (x, y) = (try floats(first), try floats(second))
    var values = [Float](repeating: 0, count: rows * columns)
    for i in 0..<rows {
      for k in 0..<rank {
        let factor = x[i * rank + k]
        for j in 0..<columns { values[i * columns + j] += factor * y[k * columns + j] }
      }
    }
    return ([rows, columns], values, rank)
  }

  private func factor(
    _ whole: AdapterFile.Role, _ a: AdapterFile.Role, _ b: AdapterFile.Role
  ) throws(WeightError) -> Factor? {
    if let name = module.tensors[whole], let shape = file.source.descriptor(name)?.shape {
      return Factor(shape: shape, values: try floats(name), rank: nil)
    }
    return try product(a, b).map { Factor(shape: $0.shape, values: $0.values, rank: $0.rank) }
  }
}

extension MatrixChange {
  /// What is wrong with a module's parts beside its pair.
  static func problem(
    of module: AdapterFile.Module, outputs: Int, inputs: Int, found: (AdapterFile.Role) -> Shape?
  ) -> String? {
    func wrong(_ role: AdapterFile.Role) -> String {
      "'\(module.tensors[role] ?? module.name)' of \(found(role) ?? []) does not fit the model's [\(outputs), \(inputs)]"
    }
    func size(
      _ whole: AdapterFile.Role, _ a: AdapterFile.Role, _ b: AdapterFile.Role
    ) -> (rows: Int, columns: Int)? {
      if let shape = found(whole) {
        return shape.rank >= 2 && shape[0] > 0 ? (shape[0], shape.count / shape[0]) : nil
      }
      return pair(a, b)
    }
    func pair(_ a: AdapterFile.Role, _ b: AdapterFile.Role) -> (rows: Int, columns: Int)? {
      guard let x = found(a), let y = found(b), x.rank >= 2, y.rank >= 2, x[0] > 0, y[0] > 0, x.count / x[0] == y[0]
      else { return nil }
      return (x[0], y.count / y[0])
    }
    if let difference = found(.difference), difference.count != outputs * inputs { return wrong(.difference) }
    if let magnitude = found(.magnitude) {
      guard magnitude.count == outputs || magnitude.count == inputs else { return wrong(.magnitude) }
      guard found(.down) != nil || found(.productLeftA) != nil || found(.kroneckerLeft) != nil else {
        return "'\(module.name)' has norms and no change"
      }
    }
    let roles = Set(module.tensors.keys)
    if !roles.isDisjoint(with: [.kroneckerLeft, .kroneckerLeftA, .kroneckerRight, .kroneckerRightA]) {
      guard let left = size(.kroneckerLeft, .kroneckerLeftA, .kroneckerLeftB),
        let right = size(.kroneckerRight, .kroneckerRightA, .kroneckerRightB),
        left.rows * right.rows == outputs, left.columns * right.columns == inputs
      else { return "the Kronecker factors of '\(module.name)' do not fit the model's [\(outputs), \(inputs)]" }
    }
    if !roles.isDisjoint(with: [.productLeftA, .productLeftB, .productRightA, .productRightB]) {
      guard let left = pair(.productLeftA, .productLeftB), let right = pair(.productRightA, .productRightB),
        left == right, left == (outputs, inputs)
      else { return "the factors of '\(module.name)' do not fit the model's [\(outputs), \(inputs)]" }
    }
    return nil
  }
}

extension AdapterFile.Module {
  /// Whether its norms are those of columns: [1, K].
  fileprivate func isOfColumns(_ source: any WeightSource) -> Bool {
    guard let shape = tensors[.magnitude].flatMap({ source.descriptor($0)?.shape }) else { return false }
    return shape.rank == 2 && shape[0] == 1 && shape[1] > 1
  }
}
