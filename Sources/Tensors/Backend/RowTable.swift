/// Rows of numbers shared by many tokens, and which token takes which row.
///
/// A modulation has one row per distinct timestep, never one per token: `runs` walks the tokens in order.
/// With a batch, every item takes the same runs.
public struct RowTable: Sendable {
  /// A stretch of consecutive tokens that share a row.
  public struct Run: Sendable, Hashable {
    /// Index of the row in ``RowTable/values``.
    public let row: Int
    /// How many tokens, 0 or more.
    public let count: Int

    /// Whether the row exists is checked when a table is made of the runs.
    public init(row: Int, count: Int) {
      self.row = row
      self.count = count
    }
  }

  /// [R, D] float32.
  public let values: Tensor
  /// The stretches in token order; together they cover one batch item.
  public let runs: [Run]

  /// Traps unless `values` is [R, D] float32 and every run names one of its R rows.
  public init(_ values: Tensor, runs: [Run]) {
    precondition(values.shape.rank == 2 && values.dtype == .f32, "a row table is [R, D] float32, not \(values.shape)")
    precondition(runs.allSatisfy { $0.row >= 0 && $0.row < values.shape[0] && $0.count >= 0 }, "a run names no row")
    self.values = values
    self.runs = runs
  }

  /// One row for every token.
  public init(uniform row: Tensor, tokens: Int) {
    self.init(row.reshaped([1, row.count]), runs: [Run(row: 0, count: tokens)])
  }

  /// Tokens of one batch item.
  public var tokens: Int { runs.reduce(0) { $0 + $1.count } }

  /// The row of each token of one batch item.
  public var rowOfToken: [Int] { runs.flatMap { Array(repeating: $0.row, count: $0.count) } }
}
