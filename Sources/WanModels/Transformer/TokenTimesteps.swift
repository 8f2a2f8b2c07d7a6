public import Tensors

/// The timestep of each token, as the distinct values and which tokens take them.
///
/// One value in most cases; two when latent frames of a clip are known (t = 0).
public struct TokenTimesteps: Sendable, Hashable {
  /// Distinct timesteps, 0...1000.
  public let values: [Float]
  /// Consecutive stretches of tokens, each with the index of its value; all of them cover one prompt's tokens.
  public let runs: [RowTable.Run]

  /// One timestep per token, in token order.
  public init(perToken timesteps: [Float]) {
    var values: [Float] = []
    var runs: [RowTable.Run] = []
    for t in timesteps {
      let row = values.firstIndex(of: t) ?? values.count
      if row == values.count { values.append(t) }
      if let last = runs.last, last.row == row {
        runs[runs.count - 1] = .init(row: row, count: last.count + 1)
      } else {
        runs.append(.init(row: row, count: 1))
      }
    }
    self.values = values
    self.runs = runs
  }

  /// `t` for all of so many tokens.
  public init(_ t: Float, tokens: Int) {
    (values, runs) = ([t], [.init(row: 0, count: tokens)])
  }
}
