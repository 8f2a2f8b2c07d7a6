public import Tensors

/// What a cache of steps remembers: all that it needs to go on in another process, bit for bit.
public struct StepCacheState: Sendable {
  /// All but the tensors, as text.
  public struct Facts: Sendable, Hashable, Codable {
    /// Whose outputs are kept; `nil` before the first step.
    public internal(set) var expert: Expert?
    /// Of each branch of the last step that was computed.
    public internal(set) var branches: [Branch] = []
    /// The steps that were skipped so far, counted from 1.
    public internal(set) var skipped: [Int] = []
  }

  /// What is known of an output.
  public struct Branch: Sendable, Hashable, Codable {
    /// How much it changes with the latents; `nil` where two steps have not been computed yet.
    public internal(set) var rate: Double?
    /// The mean of its absolute values.
    public internal(set) var size: Double
    /// The changes that were foreseen since it was computed, added up.
    public internal(set) var sum = 0.0

    init(rate: Double?, size: Double) { (self.rate, self.size) = (rate, size) }
  }

  /// All but the tensors.
  public internal(set) var facts = Facts()
  /// The latents of the last step that was computed: [C, T, h, w] float32.
  public internal(set) var input: Tensor?
  /// What was said of them, for each branch, of the same shape.
  public internal(set) var outputs: [Tensor] = []

  /// Of a run that has not begun.
  public init() {}

  private static let (inputName, outputName) = ("input", "output")

  /// Every tensor under a name of its own.
  var tensors: [(name: String, tensor: Tensor)] {
    (input.map { [(Self.inputName, $0)] } ?? [])
      + outputs.enumerated().map { ("\(Self.outputName)\($0.offset)", $0.element) }
  }

  /// A state that was written as its facts and tensors.
  ///
  /// - Throws: `SamplingError` for tensors that are no cache's, or not those of the facts.
  init(_ facts: Facts, tensors: [String: Tensor]) throws(SamplingError) {
    (self.facts, input) = (facts, tensors[Self.inputName])
    outputs = facts.branches.indices.compactMap { tensors["\(Self.outputName)\($0)"] }
    let count = facts.expert == nil ? 0 : 1 + facts.branches.count
    guard outputs.count == facts.branches.count, tensors.count == count, (input == nil) == (count == 0) else {
      throw .state("its cache holds the tensors \(tensors.keys.sorted()) for \(facts.branches.count) outputs")
    }
  }
}
