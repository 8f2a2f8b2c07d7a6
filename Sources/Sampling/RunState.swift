public import Tensors

/// Where a run stands between two steps: all that is needed to go on in another process, bit for bit.
public struct RunState: Sendable {
  /// All but the tensors, as text.
  public struct Facts: Sendable, Hashable, Codable {
    /// Steps taken.
    public let step: Int
    /// The solver whose history it is.
    public let solver: SolverKind
    /// Of the noise.
    public let seed: UInt64
    /// Whose random numbers the seed stands for.
    public let noise: NoiseSource
    /// The generator's position: how many numbers each draw so far has taken.
    public let draws: [Int]
    /// Of a cache of steps; `nil` for a run without one.
    public let cache: StepCacheState.Facts?

    /// Facts of a run; whether they fit a plan is checked when it goes on.
    public init(
      step: Int, solver: SolverKind, seed: UInt64, noise: NoiseSource, draws: [Int], cache: StepCacheState.Facts? = nil
    ) {
      (self.step, self.solver, self.seed, self.noise, self.draws) = (step, solver, seed, noise, draws)
      self.cache = cache
    }
  }

  /// All but the tensors.
  public let facts: Facts
  /// [C, T, h, w] float32, with a known first frame put back.
  public let latents: Tensor
  /// What the solver remembers.
  public let history: SolverState
  /// What its cache of steps remembers; `nil` for a run without one.
  public let cache: StepCacheState?

  /// A state of parts that belong together; that is not checked.
  public init(_ facts: Facts, latents: Tensor, history: SolverState, cache: StepCacheState? = nil) {
    (self.facts, self.latents, self.history, self.cache) = (facts, latents, history, cache)
  }

  private static let (prefix, cachePrefix) = ("solver.", "cache.")

  /// Every tensor under a name of its own, sorted.
  public var tensors: [(name: String, tensor: Tensor)] {
    let named = history.tensors.map { (Self.prefix + $0.key, $0.value) }.sorted { $0.0 < $1.0 }
    return [("latents", latents)] + named
      + (cache?.tensors ?? []).map { (Self.cachePrefix + $0.name, $0.tensor) }
  }

  /// A state that was written as its facts and tensors.
  ///
  /// - Throws: `SamplingError` for tensors that are no state's.
  public init(_ facts: Facts, tensors: [String: Tensor]) throws(SamplingError) {
    guard let latents = tensors["latents"], latents.dtype == .f32 else { throw .state("there are no float32 latents") }
    var (history, cached): ([String: Tensor], [String: Tensor]) = ([:], [:])
    for (name, tensor) in tensors where name != "latents" {
      let isCached = facts.cache != nil && name.hasPrefix(Self.cachePrefix)
      guard isCached || name.hasPrefix(Self.prefix), tensor.shape == latents.shape, tensor.dtype == .f32 else {
        throw .state(
          "tensor '\(name.prefix(80))' of \(tensor.dtype) \(tensor.shape) beside float32 latents \(latents.shape)")
      }
      if isCached {
        cached[String(name.dropFirst(Self.cachePrefix.count))] = tensor
      } else {
        history[String(name.dropFirst(Self.prefix.count))] = tensor
      }
    }
    self.init(
      facts, latents: latents, history: SolverState(index: facts.step, tensors: history),
      cache: try facts.cache.map { facts throws(SamplingError) in try StepCacheState(facts, tensors: cached) })
  }
}
