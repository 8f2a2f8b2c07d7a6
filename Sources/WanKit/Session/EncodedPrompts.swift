import Tensors

/// The prompts of a plan, without its pictures: what ``Engine/encode(_:onEvent:)`` needs of it.
public struct PlannedPrompts: Sendable {
  /// Without what a clip of it would need beside its text.
  fileprivate let plan: GenerationPlan

  fileprivate init(_ plan: GenerationPlan) {
    var plan = plan
    (plan.image, plan.lastImage, plan.leadingFrames, plan.video) = (nil, nil, [], [])
    self.plan = plan
  }
}

extension GenerationPlan {
  /// The prompts that the text encoder would read.
  public var prompts: PlannedPrompts { PlannedPrompts(self) }
}

/// Embeddings of the prompts of several plans: each as a run of its plan alone would make it, so that the text encoder is
/// read once for all of them.
public struct EncodedPrompts: Sendable {
  /// What an embedding depends on.
  private struct Key: Hashable {
    let encoder: NetworkShelf.Key
    let ids: [Int32]
  }

  private var embeddings: [Key: Tensor] = [:]

  /// No prompts yet.
  public init() {}

  /// How many different texts there are.
  public var count: Int { embeddings.count }

  /// Those of a plan, [n, textDimension] each; `nil` where one of them is not here.
  func embeddings(of plan: GenerationPlan) -> [Tensor]? {
    let (encoder, prompts) = (plan.encoderKey, plan.tokenIDs.all)
    let found = prompts.compactMap { embeddings[Key(encoder: encoder, ids: $0)] }
    return found.count == prompts.count ? found : nil
  }

  fileprivate mutating func add(_ prompts: [[Int32]], _ made: [Tensor], of encoder: NetworkShelf.Key) {
    for (ids, embedding) in zip(prompts, made) { embeddings[Key(encoder: encoder, ids: ids)] = embedding }
  }
}

extension GenerationPlan {
  /// A text encoder whose file was replaced is another one.
  fileprivate var encoderKey: NetworkShelf.Key { model.textEncoder.key(.textEncoder, precision.unquantized) }
}

extension Engine {
  /// Encodes the prompts of several plans, each different text once; the text encoder is let go of then.
  ///
  /// A plan takes the result as its ``GenerationPlan/encodedPrompts``. An embedding takes 16 KiB for each token of a
  /// published model's prompt.
  ///
  /// - Parameter onEvent: called in order as stages pass.
  /// - Throws: `CancellationError`; `WeightError`; `DeviceError`; ``MemoryShortage``.
  public func encode(
    _ prompts: [PlannedPrompts], onEvent: @escaping @Sendable (GenerationEvent) -> Void = { _ in }
  ) async throws -> EncodedPrompts {
    var encoded = EncodedPrompts()
    for (encoder, plans) in Dictionary(grouping: prompts.map(\.plan), by: \.encoderKey) {
      var seen: Set<[Int32]> = []
      let texts = plans.flatMap(\.tokenIDs.all).filter { seen.insert($0).inserted }
      encoded.add(texts, try await embeddings(of: texts, as: plans[0], onEvent: onEvent), of: encoder)
    }
    return encoded
  }
}
