public import Tensors

/// What the transformer said last, and whether it will do for one more step.
///
/// For each branch (with the prompt, and without) the rate k = |dy| / |dx| tells how much the output y changed with the
/// latents x between the last two steps that were computed; |.| is the mean of absolute values. At every step after that
/// the change k |x - x'| / |y| is foreseen, where x' are the latents of the last computed step, and added up: each skipped
/// step is wrong by that much. The step is computed when the sum of any branch reaches the threshold, and then all
/// branches are, since guidance multiplies the difference between their errors.
///
/// What is used again is the velocity. The published caches add the residual y - x', of the whole model or of its blocks,
/// to the new latents instead, which is further from what the model says (`Documentation/Sampling.md` has the figures).
/// With a solver that draws noise it is the clean sample, from which the fresh noise of each step is told apart.
///
/// Steps of another expert know nothing of each other.
public struct StepCache: Sendable {
  /// A step, as the cache sees it.
  public struct Step: Sendable {
    /// Counted from 0, and how many there are in all.
    let index, count: Int
    let expert: Expert
    let sigma: Float
    /// Outputs: with the prompt, and without where the step is guided.
    let branches: Int

    /// - Parameters:
    ///   - index: counted from 0, of `count` steps in all.
    ///   - sigma: the noise level that the step begins at.
    ///   - branches: outputs of the step: 2 where it is guided, else 1.
    public init(_ index: Int, of count: Int, expert: Expert, sigma: Float, branches: Int) {
      (self.index, self.count, self.expert, self.sigma, self.branches) = (index, count, expert, sigma, branches)
    }
  }

  private let caching: StepCaching
  private let keepsClean: Bool
  /// What it would need to go on elsewhere.
  public private(set) var state: StepCacheState

  /// - Parameters:
  ///   - solver: what walks from noise to the clip.
  ///   - state: where another one stood; by default nothing is known yet.
  public init(_ caching: StepCaching, solver: SolverKind, state: StepCacheState = .init()) {
    (self.caching, self.state) = (caching, state)
    keepsClean = solver.drawsNoise
  }

  /// The outputs to use in place of the transformer's at a step, one for each branch, or `nil` where it must run.
  ///
  /// To be asked once for each step, in order; ``record(_:at:latents:)`` follows where it gave none.
  ///
  /// - Parameter latents: what the step begins with, [C, T, h, w] float32.
  public mutating func outputs(at step: Step, latents: Tensor) -> [Tensor]? {
    guard StepCaching.maySkip(step.index, of: step.count), state.facts.expert == step.expert,
      let input = state.input, state.outputs.count >= step.branches, input.shape == latents.shape
    else { return nil }
    let change = meanDistance(latents, input)
    var isClose = true
    for branch in 0..<step.branches {
      guard let rate = state.facts.branches[branch].rate else { return nil }
      state.facts.branches[branch].sum += rate * change / state.facts.branches[branch].size
      // Numbers that are none are not below anything.
      if !(state.facts.branches[branch].sum < caching.threshold) { isClose = false }
    }
    guard isClose else { return nil }
    state.facts.skipped.append(step.index + 1)
    return state.outputs.prefix(step.branches).map { keepsClean ? velocity(to: $0, from: latents, step.sigma) : $0 }
  }

  /// Learns from a step that was computed.
  ///
  /// - Parameters:
  ///   - velocities: of each branch, of the latents' shape, float32.
  ///   - latents: what the step began with.
  public mutating func record(_ velocities: [Tensor], at step: Step, latents: Tensor) {
    let outputs = velocities.map { keepsClean ? Velocity($0).cleanSample(latents, sigma: step.sigma) : $0 }
    let isSameExpert = state.facts.expert == step.expert && state.input?.shape == latents.shape
    let moved = isSameExpert ? state.input.map { meanDistance(latents, $0) } ?? 0 : 0
    state.facts.branches = outputs.indices.map { branch in
      let hasBefore = moved > 0 && branch < state.outputs.count
      let rate = hasBefore ? meanDistance(outputs[branch], state.outputs[branch]) / moved : nil
      return StepCacheState.Branch(rate: rate.flatMap { $0.isFinite ? $0 : nil }, size: meanSize(outputs[branch]))
    }
    (state.input, state.outputs, state.facts.expert) = (latents, outputs, step.expert)
  }

  private func velocity(to clean: Tensor, from latents: Tensor, _ sigma: Float) -> Tensor {
    elementwise(latents, clean) { x, clean in (x - clean) / sigma }
  }
}

/// The mean of |a - b|, summed in float64.
private func meanDistance(_ a: Tensor, _ b: Tensor) -> Double {
  a.withSpan(of: Float.self) { a in
    b.withSpan(of: Float.self) { b in
      var sum = 0.0
      for i in 0..<a.count { sum += Double(abs(a[i] - b[i])) }
      return sum / Double(max(1, a.count))
    }
  }
}

/// The mean of |a|, summed in float64.
private func meanSize(_ a: Tensor) -> Double {
  a.withSpan(of: Float.self) { a in
    var sum = 0.0
    for i in 0..<a.count { sum += Double(abs(a[i])) }
    return sum / Double(max(1, a.count))
  }
}
