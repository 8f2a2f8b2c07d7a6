public import Sampling
import Tensors

/// How many steps of an expert ran, and how many of them did without the transformer.
public struct StepSkips: Sendable, Hashable, Codable {
  /// The transformer of these steps.
  public let expert: Expert
  /// Those that were skipped, of how many.
  public let skipped, steps: Int
}

extension GenerationPlan {
  /// A caching that can be carried out; `nil` for none, and where the steps are too few for it to gain anything.
  static func checkedCaching(_ caching: StepCaching?, steps: Int) throws(RequestError) -> StepCaching? {
    guard let caching else { return nil }
    let range = StepCaching.thresholds
    guard range.contains(caching.threshold) else {
      throw .field(
        .cache, "\(caching.threshold) is not a threshold from \(Int(range.lowerBound)) to \(Int(range.upperBound))")
    }
    return steps < StepCaching.leastSteps ? nil : caching
  }

  static func tooFewToCache(_ steps: Int) -> String {
    "\(steps) steps are too few to skip any (\(StepCaching.leastSteps) are the least); every step runs the transformer"
  }

  /// What is expected to be skipped of each expert, in order of running; nothing without ``caching``.
  public var expectedSkips: [StepSkips] {
    let expected = caching?.expectedSkips(sigmas: schedule.sigmas, experts: experts) ?? [:]
    return stepsPerExpert.map { StepSkips(expert: $0.expert, skipped: expected[$0.expert] ?? 0, steps: $0.steps) }
  }

  /// What was skipped of each expert, in order of running, by where a run stood at last; `nil` without ``caching``.
  public func skips(_ state: RunState) -> [StepSkips]? {
    guard let skipped = state.facts.cache?.skipped else { return nil }
    return stepsPerExpert.map { expert, steps in
      let own = skipped.filter { experts.indices.contains($0 - 1) && experts[$0 - 1] == expert }
      return StepSkips(expert: expert, skipped: own.count, steps: steps)
    }
  }

  /// Bytes that a cache of steps keeps: the latents of one step, and what each prompt's pass gave.
  var cacheBytes: Int {
    caching == nil ? 0 : (1 + tokenIDs.all.count) * latentShape.count * DType.f32.byteCount
  }
}
