/// How far a run may do without the transformer: it takes what the transformer said at an earlier step as long as the
/// error that adds up by that is foreseen to stay below a threshold.
///
/// The rule is EasyCache's (arXiv 2507.02860), which needs no numbers of a model: see ``StepCache``.
public struct StepCaching: Sendable, Hashable {
  /// The change of an output, as a part of its size, that may add up over the steps that are skipped. 0 skips none.
  public let threshold: Double

  /// A caching of one's own; ``thresholds`` are those that mean something.
  public init(threshold: Double) { self.threshold = threshold }

  /// The thresholds that are taken.
  public static let thresholds = 0.0...10

  /// About half of the steps: clips that are hard to tell from those without.
  public static let balanced = StepCaching(threshold: 0.2)
  /// About three of five steps: the same clips, with details that differ.
  public static let fast = StepCaching(threshold: 0.5)

  private static let named = [("balanced", balanced), ("fast", fast)]

  /// "balanced", "fast", or the threshold.
  public var name: String { Self.named.first { $0.1 == self }?.0 ?? "\(threshold)" }

  /// Reads what ``name`` writes; `nil` for another text, and for a number that is not finite.
  public init?(name: String) {
    if let known = Self.named.first(where: { $0.0 == name }) {
      self = known.1
      return
    }
    guard let threshold = Double(name), threshold.isFinite else { return nil }
    self.init(threshold: threshold)
  }

  // MARK: Where a step may be skipped

  /// Runs of fewer steps have none to spare.
  public static let leastSteps = 8

  /// Steps at the start that decide what the clip shows: the first 15 %, at least two, from which the rule learns.
  static func firstSteps(of steps: Int) -> Int { max(2, (steps * 15 + 99) / 100) }

  /// Whether a step may be skipped at all: none of the first, and never the last.
  static func maySkip(_ step: Int, of steps: Int) -> Bool {
    steps >= leastSteps && step >= firstSteps(of: steps) && step < steps - 1
  }

  /// How much outputs change with the latents: 0.5 to 4 times as much, at the bundled model.
  private static let typicalRate = 1.5

  /// How many steps of each expert are expected to be skipped, by the noise levels alone: about, since the rule looks at
  /// what the transformer says.
  ///
  /// Latents move by about as much as the noise level falls, in units of the output's size; the output is taken to change
  /// by ``typicalRate`` times that.
  ///
  /// - Parameters:
  ///   - sigmas: the noise level of each step, and 0 at the end.
  ///   - experts: of each step.
  public func expectedSkips(sigmas: [Float], experts: [Expert]) -> [Expert: Int] {
    var (skips, computed, sum): ([Expert: Int], [Int], Double) = ([:], [], 0)
    for step in experts.indices {
      let known = computed.suffix(2)
      if Self.maySkip(step, of: experts.count), known.count == 2, known.allSatisfy({ experts[$0] == experts[step] }),
        let last = known.last
      {
        sum += Self.typicalRate * abs(Double(sigmas[last] - sigmas[step]))
        if sum < threshold {
          skips[experts[step], default: 0] += 1
          continue
        }
      }
      computed.append(step)
      sum = 0
    }
    return skips
  }
}

/// JSON: "balanced", "fast", or a number.
extension StepCaching: Codable {
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let number = try? value.decode(Double.self) {
      self.init(threshold: number)
      return
    }
    let text = try value.decode(String.self)
    guard let caching = StepCaching(name: text) else {
      throw DecodingError.dataCorruptedError(
        in: value, debugDescription: "'\(text.prefix(40))' is not balanced, fast or a number")
    }
    self = caching
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    if Self.named.contains(where: { $0.1 == self }) {
      try value.encode(name)
    } else {
      try value.encode(threshold)
    }
  }
}
