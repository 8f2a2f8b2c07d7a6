import Layers
import Sampling
import Tensors
import WanModels

/// The one transformer that is in memory, with its prompts encoded; changing it frees the last one first.
struct ExpertSlot {
  private let plan: GenerationPlan
  private let backend: any Backend
  private let int8Cache: QuantizedWeightCache?
  private let prompts: [Tensor]
  private var loaded: (expert: Expert, source: any WeightSource, model: WanTransformer, context: TextContext)?

  /// - Parameter prompts: [n, textDimension] each, as the text encoder gives them.
  init(plan: GenerationPlan, prompts: [Tensor], backend: any Backend, int8Cache: QuantizedWeightCache?) {
    self.plan = plan
    self.prompts = prompts
    self.backend = backend
    self.int8Cache = int8Cache
  }

  /// Of every expert of the model, for the rotary table that they share.
  var headDimension: Int { plan.model.transformers.configuration.headDimension }

  /// Whether asking for `expert` will read a checkpoint.
  func needsLoading(_ expert: Expert) -> Bool { loaded?.expert != expert }

  /// Frees the expert in memory and what its file holds there.
  mutating func unload() {
    guard let source = loaded?.source else { return }
    loaded = nil
    source.discardCachedPages()
  }

  mutating func active(
    _ expert: Expert, onEvent: (GenerationEvent) -> Void
  ) throws -> (model: WanTransformer, context: TextContext) {
    if let loaded, loaded.expert == expert { return (loaded.model, loaded.context) }
    unload()
    let part = plan.model.transformers[expert]
    let source =
      plan.precision == .int8
      ? try int8Cache?.source(part, backend: backend) { onEvent(.notice($0)) } ?? part.source : part.source
    let model = try part.reading(source).load(on: backend, precision: plan.precision)
    let context = model.context(prompts)
    loaded = (expert, source, model, context)
    return (model, context)
  }
}
