public import Tensors

/// The timestep of each token, as the distinct values and which tokens take them.
///
/// One value in most cases; two when the first latent frame of an image-to-video clip is known (t = 0).
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

  /// t = 0 for the first `known` tokens, `t` for the rest.
  public init(_ t: Float, tokens: Int, known: Int = 0) {
    let isUniform = known == 0 || t == 0
    values = isUniform ? [t] : [0, t]
    runs =
      isUniform ? [.init(row: 0, count: tokens)] : [.init(row: 0, count: known), .init(row: 1, count: tokens - known)]
  }
}
