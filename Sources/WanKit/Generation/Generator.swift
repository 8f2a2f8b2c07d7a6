// C latent channels, T latent frames of h x w; F frames of H x W.

import Layers
public import Logging
import Sampling
public import Tensors
import Tokenization
import WanModels

/// Carries out plans on one backend: text and image in, frames out.
///
/// One large network is in memory at a time: the text encoder is gone before the transformer comes, one expert before
/// the other, and the last before the autoencoder decodes.
public struct Generator: Sendable {
  private let backend: any Backend
  private let logger: Logger
  private let promptCache: PromptCache?
  private let int8Cache: QuantizedWeightCache?

  /// - Parameters:
  ///   - promptCache: where encoded prompts are kept and looked for; nowhere when `nil`.
  ///   - int8Cache: where the weights of plans in ``Precision/int8`` are kept; nowhere when `nil`.
  public init(
    backend: any Backend, promptCache: PromptCache? = nil, int8Cache: QuantizedWeightCache? = nil,
    logger: Logger = Logger(label: "wan") { _ in SwiftLogNoOpLogHandler() }
  ) {
    self.backend = backend
    self.promptCache = promptCache
    self.int8Cache = int8Cache
    self.logger = logger
  }

  /// Runs a plan from start to end on a thread of its own.
  ///
  /// - Parameters:
  ///   - keepTrace: whether to keep every tensor for the returned trace; costs memory that grows with steps and frames.
  ///   - onEvent: called in order as stages and steps pass.
  ///   - frames: takes frames [n, H, W, 3] in [-1, 1] in order; decoding waits for it.
  /// - Throws: `CancellationError` within one layer of the task's cancellation; `WeightError`; `TokenizerError`;
  ///   `SamplingError` when latents or frames stop being finite; whatever `frames` throws.
  @discardableResult
  public func run(
    _ plan: GenerationPlan, keepTrace: Bool = false, onEvent: @escaping @Sendable (GenerationEvent) -> Void = { _ in },
    frames: @escaping @Sendable (Tensor) async throws -> Void
  ) async throws -> GenerationTrace? {
    try await run(plan, keepTrace: keepTrace, onEvent: onEvent, sampled: Sampled(), frames: frames)
  }

  /// - Parameter sampled: takes the latents before they are decoded.
  func run(
    _ plan: GenerationPlan, keepTrace: Bool, onEvent: @escaping @Sendable (GenerationEvent) -> Void, sampled: Sampled,
    frames: @escaping @Sendable (Tensor) async throws -> Void
  ) async throws -> GenerationTrace? {
    try await withTaskExecutorPreference(GenerationThread()) {
      var trace = keepTrace ? GenerationTrace() : nil
      let latents = try sample(plan, trace: &trace, onEvent: onEvent)
      sampled.take(latents)
      try await decode(latents, plan, trace: &trace, onEvent: onEvent, frames: frames)
      return trace
    }
  }

  /// From prompt and seed to latents [C, T, h, w].
  private func sample(
    _ plan: GenerationPlan, trace: inout GenerationTrace?, onEvent: (GenerationEvent) -> Void
  ) throws -> Tensor {
    onEvent(.stage(.encodingText))
    let prompts = try encodeText(plan, trace: &trace, onEvent: onEvent)
    let conditioning = try condition(plan, onEvent: onEvent)
    let noise = plan.noise.normal(seed: plan.seed, shape: plan.latentShape)
    trace?.noise = noise
    trace?.sigmas = plan.schedule.sigmas
    logger.debug("sampling", metadata: ["tokens": "\(plan.tokens)", "steps": "\(plan.steps)"])
    var experts = ExpertSlot(plan: plan, prompts: prompts, backend: backend, int8Cache: int8Cache)
    let denoise = Denoiser(plan: plan, backend: backend, conditioning: conditioning)
    onEvent(.stage(.sampling))
    defer { experts.unload() }
    return try denoise(noise, experts: &experts, trace: &trace, onEvent: onEvent)
  }

  /// Prompt, and negative prompt where guidance uses it: [n, textDimension] each.
  private func encodeText(
    _ plan: GenerationPlan, trace: inout GenerationTrace?, onEvent: (GenerationEvent) -> Void
  ) throws -> [Tensor] {
    let prompts = plan.isGuided ? [plan.prompt, plan.negativePrompt] : [plan.prompt]
    let ids = try tokenIDs(prompts, plan.model) { onEvent(.notice($0)) }
    let part = plan.model.textEncoder
    try part.check(ids, tokenizerFolder: plan.model.tokenizerFolder)
    let contexts = try contexts(of: ids, part, plan.precision.unquantized) { onEvent(.notice($0)) }
    trace?.record(contexts: contexts, ids: ids)
    return contexts
  }

  /// The ids of cleaned prompts.
  ///
  /// - Parameter notice: told in a line each what of a given text the model does not read.
  private func tokenIDs(_ prompts: [String], _ model: ModelFolder, notice: (String) -> Void) throws -> [[Int32]] {
    do {
      let tokenizer = try model.openTokenizer()
      let limit = PromptLimit(tokenizer: tokenizer, limit: model.textLength)
      return try zip(prompts, ["prompt", "negative prompt"]).map { prompt, name in
        let text = try PromptCleaner.clean(prompt)
        if prompt != PublishedPrompts.negative, let line = try limit.notice(text, called: name) { notice(line) }
        return try tokenizer.encode(text, maximumLength: model.textLength)
      }
    } catch TokenizerError.cancelled {
      throw CancellationError()
    }
  }

  /// The vectors of each prompt; the encoder is loaded only for those that the cache does not have.
  private func contexts(
    of prompts: [[Int32]], _ part: NetworkPart<UMT5Encoder>, _ precision: Precision, log: (String) -> Void
  ) throws -> [Tensor] {
    let cache = try promptCache?.prompts(of: part, precision, log: log)
    let kept = prompts.map { cache?.context($0, log: log) }
    guard kept.contains(where: { $0 == nil }) else { return kept.compactMap { $0 } }
    defer { part.source.discardCachedPages() }
    let encoder = try part.load(on: backend, precision: precision)
    let contexts = try zip(prompts, kept).map { ids, kept in try kept ?? backend.host(encoder(ids)) }
    let fresh = prompts.indices.filter { kept[$0] == nil }
    cache?.keep(fresh.map { (prompts[$0], contexts[$0]) }, log: log)
    return contexts
  }

  private func condition(
    _ plan: GenerationPlan, onEvent: (GenerationEvent) -> Void
  ) throws -> Conditioning {
    guard let image = plan.image else { return .none }
    onEvent(.stage(.encodingImage))
    let encoder = try plan.model.autoencoder.encoder.load(on: backend, precision: plan.precision)
    return try Conditioning(
      image, as: plan.model.family.conditioning, clip: [3, plan.frames, plan.height, plan.width],
      timeStride: plan.model.autoencoder.configuration.stride.time, encode: { try backend.host(encoder($0)) })
  }

  private func decode(
    _ latents: Tensor, _ plan: GenerationPlan, trace: inout GenerationTrace?, onEvent: (GenerationEvent) -> Void,
    frames: (Tensor) async throws -> Void
  ) async throws {
    onEvent(.stage(.decoding))
    let decoder = try plan.model.autoencoder.decoder.load(on: backend, precision: plan.precision)
    var decoding = DecodedFrames(decoder.decoding(latents, tiling: plan.decodingTiling), on: backend)
    var done = 0
    while let chunk = try decoding.next(onPart: { onEvent(.tiles(done: $0, of: $1)) }) {
      try LatentWatchdog.check(frames: chunk, first: done + 1)
      trace?.frames.append(chunk)
      try await frames(chunk)
      done += chunk.shape[0]
      onEvent(.frames(done: done, of: plan.frames))
    }
  }
}

extension GenerationPlan {
  /// Whether the negative prompt has a say: guidance other than 1 for some expert.
  var isGuided: Bool { guidance.low != 1 || guidance.high != 1 }
}

extension GenerationTrace {
  fileprivate mutating func record(contexts: [Tensor], ids: [[Int32]]) {
    (context, promptIDs) = (contexts[0], ids[0])
    if contexts.count > 1 { (contextNull, negativeIDs) = (contexts[1], ids[1]) }
  }
}

extension NetworkPart<UMT5Encoder> {
  fileprivate func check(_ ids: [[Int32]], tokenizerFolder: String) throws(ModelError) {
    for id in ids.joined() { try check(token: Int(id), tokenizerFolder: tokenizerFolder) }
  }

  /// Tokens must be rows of the embedding: a tokenizer of another model may know more.
  func check(token id: Int, tokenizerFolder: String) throws(ModelError) {
    guard 0..<configuration.vocabulary ~= id else {
      throw .inconsistent(
        folder: tokenizerFolder,
        reason: "token \(id) is past the text encoder's \(configuration.vocabulary) rows; "
          + "do tokenizer and encoder belong together?")
    }
  }
}
