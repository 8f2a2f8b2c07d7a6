/// Linear regression of several results on the same values, by the normal equations in float64.
struct LeastSquares {
  private let inputs, outputs: Int
  /// Sums of products of the values, a constant 1 behind them: [n + 1, n + 1].
  private var squares: [Double]
  /// Sums of products of values and results: [n + 1, m].
  private var products: [Double]
  private var resultSums, resultSquares: [Double]
  private(set) var count = 0

  /// - Parameters:
  ///   - inputs: values of a sample (n).
  ///   - outputs: results of a sample (m).
  init(inputs: Int, outputs: Int) {
    (self.inputs, self.outputs) = (inputs, outputs)
    squares = Array(repeating: 0, count: (inputs + 1) * (inputs + 1))
    products = Array(repeating: 0, count: (inputs + 1) * outputs)
    (resultSums, resultSquares) = (Array(repeating: 0, count: outputs), Array(repeating: 0, count: outputs))
  }

  /// Takes a sample of n values and m results.
  mutating func add(_ values: [Double], _ results: [Double]) {
    let row = values + [1]
    let size = inputs + 1
    for i in 0..<size {
      for j in 0...i { squares[i * size + j] += row[i] * row[j] }
      for k in 0..<outputs { products[i * outputs + k] += row[i] * results[k] }
    }
    for k in 0..<outputs {
      resultSums[k] += results[k]
      resultSquares[k] += results[k] * results[k]
    }
    count += 1
  }

  /// What was found: results = values . factors + bias.
  struct Solution {
    /// Row-major [n, m].
    let factors: [Double]
    /// [m]
    let bias: [Double]
  }

  /// The map of least squares; values that never change, or follow from others, get small factors.
  func solution() -> Solution {
    let size = inputs + 1
    let lower = factorised()
    var columns = (0..<outputs).map { k in (0..<size).map { products[$0 * outputs + k] } }
    for k in columns.indices { Self.solve(lower, size, &columns[k]) }
    return Solution(factors: (0..<inputs).flatMap { i in columns.map { $0[i] } }, bias: columns.map { $0[inputs] })
  }

  /// How well a map does on these samples: the part of the results' variance that it explains, 1 for all of it, and the
  /// root of the mean square of what it leaves.
  func quality(of map: Solution) -> (explained: Double, residual: Double) {
    var (left, variance) = (0.0, 0.0)
    for k in 0..<outputs {
      let column = (0..<inputs).map { map.factors[$0 * outputs + k] } + [map.bias[k]]
      left += max(0, resultSquares[k] + quadratic(column) - 2 * product(column, k))
      variance += resultSquares[k] - resultSums[k] * resultSums[k] / Double(max(count, 1))
    }
    return (
      variance > 0 ? 1 - left / variance : 1, (left / Double(max(count * outputs, 1))).squareRoot()
    )
  }

  private func quadratic(_ x: [Double]) -> Double {
    let size = inputs + 1
    var sum = 0.0
    for i in 0..<size {
      for j in 0..<i { sum += 2 * x[i] * x[j] * squares[i * size + j] }
      sum += x[i] * x[i] * squares[i * size + i]
    }
    return sum
  }

  private func product(_ x: [Double], _ k: Int) -> Double {
    (0...inputs).reduce(0) { $0 + x[$1] * products[$1 * outputs + k] }
  }

  /// The Cholesky factor of the sums, with a millionth of each value's own square on top, so that there is one.
  private func factorised() -> [Double] {
    let size = inputs + 1
    var lower = [Double](repeating: 0, count: size * size)
    for i in 0..<size {
      for j in 0...i {
        var sum = squares[i * size + j]
        if i == j { sum += max(1e-6 * sum, 1e-12) }
        for k in 0..<j { sum -= lower[i * size + k] * lower[j * size + k] }
        lower[i * size + j] = i == j ? max(sum, 1e-300).squareRoot() : sum / lower[j * size + j]
      }
    }
    return lower
  }

  /// Solves L L' x = b in place.
  private static func solve(_ lower: [Double], _ size: Int, _ x: inout [Double]) {
    for i in 0..<size {
      for j in 0..<i { x[i] -= lower[i * size + j] * x[j] }
      x[i] /= lower[i * size + i]
    }
    for i in (0..<size).reversed() {
      for j in i + 1..<size { x[i] -= lower[j * size + i] * x[j] }
      x[i] /= lower[i * size + i]
    }
  }
}
