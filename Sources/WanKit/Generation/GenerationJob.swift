// C latent channels, T latent frames of h x w; F frames of H x W.

import Dispatch
import Layers
import Logging
import Sampling
import Tensors
import WanModels

/// Where a job begins and who hears of it.
struct JobListeners: Sendable {
  let recorder: TraceRecorder?
  let observers: [any StepObserver]
  let onEvent: @Sendable (GenerationEvent) -> Void
  /// Where the run begins, unless at its first step.
  let state: RunState?
  /// Takes the latents when they are final, before they are decoded.
  let sampled: @Sendable (Tensor) -> Void
}

/// One plan being carried out: text and image in, frames out.
final class GenerationJob {
  let plan: GenerationPlan
  let tools: Engine.Tools
  let listeners: JobListeners
  private var networks: LoadedNetworks
  /// What of the networks is in memory at a time; `nil` before the job runs.
  var memory: MemoryPlan?
  /// Reads the blocks of the networks that do not fit; `nil` where all that runs now fits.
  var stream: BlockStream?
  /// Where the uses of each expert are among those of ``stream``: the run of its keys and values, after which that of its
  /// passes follows, and the step of the first pass.
  var streamedExperts: [Expert: (run: Int, firstStep: Int)] = [:]
  /// The prompts' keys and values in the transformer that is in use.
  private var context: (expert: Expert, context: TextContext)?

  private var backend: any Backend { tools.backend }

  init(_ plan: GenerationPlan, with tools: Engine.Tools, _ networks: LoadedNetworks, _ listeners: JobListeners) {
    (self.plan, self.tools, self.networks, self.listeners) = (plan, tools, networks, listeners)
  }

  /// From prompt and seed to frames.
  func run(frames: (Tensor) async throws -> Void) async throws {
    memory = try plan.memoryPlan(on: backend.traits)
    let latents = try sample()
    listeners.sampled(latents)
    try await decode(latents, frames: frames)
  }

  /// The networks that stay.
  func finish() -> LoadedNetworks {
    context = nil
    endStream()
    networks.settle()
    backend.trim()
    return networks
  }

  /// The latents [C, T, h, w] of the clip.
  private func sample() throws -> Tensor {
    if let state = listeners.state, state.facts.step == plan.steps {
      try plan.check(state)
      return state.latents
    }
    let embeddings = try encodeText()
    let conditioning = try condition()
    let start = try start()
    tools.logger.debug("sampling", metadata: ["tokens": "\(plan.tokens)", "steps": "\(plan.steps)"])
    return try stage(.sampling) {
      defer {
        context = nil
        endStream()
      }
      stream = try transformerStream(from: listeners.state?.facts.step ?? 0)
      var run = try DenoisingRun(
        plan, from: start, conditioning, on: backend, expert: { try self.transformer($0, embeddings, step: $1) },
        betweenBlocks: betweenBlocks)
      let observers = self.observers
      while let step = try run.next() {
        for observer in observers { try observer.observe(step) }
      }
      return run.latents
    }
  }

  /// The noise of the plan's seed, a video with so much of it as the first step expects, or where the run stood.
  private func start() throws -> DenoisingRun.Start {
    listeners.recorder?.note { $0.sigmas = plan.schedule.sigmas }
    if let state = listeners.state { return .state(state) }
    var draws = NoiseDraws(plan.noise, seed: plan.seed)
    let noise = draws.next(plan.latentShape)
    listeners.recorder?.note { $0.noise = noise }
    guard let video = try encodeVideo() else { return .noise(noise, draws) }
    return .noise(video.noised(by: noise, sigma: plan.schedule.sigmas[0]), draws)
  }

  /// The latents [C, T, h, w] of the plan's video.
  private func encodeVideo() throws -> Tensor? {
    guard !plan.video.isEmpty, let part = plan.imageEncoder else { return nil }
    return try stage(.encodingImage) {
      let encoder = try network(part, .imageEncoder, plan.precision)
      let frames = KnownPictures.frames(
        plan.video,
        {
          $0.placed(as: plan.model.family.conditioning, like: plan.profile, width: plan.width, height: plan.height)
        }, height: plan.height, width: plan.width)
      return try backend.host(encoder(frames))
    }
  }

  /// The watchdog looks first, so that a useless step is neither kept nor told.
  private var observers: [any StepObserver] {
    [Watchdog()] + (listeners.recorder.map { [$0] } ?? []) + listeners.observers
      + [ProgressTeller(listeners.onEvent)]
  }

  /// The embeddings of the plan's prompts, [n, textDimension] each.
  private func encodeText() throws -> [Tensor] {
    func tellNotices() {
      for notice in plan.warnings + plan.fittedAdapters.notices + plan.tokenIDs.notices {
        listeners.onEvent(.notice(notice))
      }
    }
    func record(_ embeddings: [Tensor]) { listeners.recorder?.note { $0.record(embeddings, plan.tokenIDs) } }
    if let embeddings = plan.encodedPrompts?.embeddings(of: plan) {
      tellNotices()
      record(embeddings)
      return embeddings
    }
    return try stage(.encodingText) {
      tellNotices()
      let embeddings = try encode(plan.tokenIDs.all)
      record(embeddings)
      return embeddings
    }
  }

  /// The embeddings of prompts; the encoder is loaded only for those that the cache does not have.
  private func encode(_ prompts: [[Int32]]) throws -> [Tensor] {
    let (part, precision) = (plan.model.textEncoder, plan.precision.unquantized)
    let cache = try tools.promptCache?.prompts(of: part, precision) { listeners.onEvent(.notice($0)) }
    let kept = prompts.map { cache?.context($0) { listeners.onEvent(.notice($0)) } }
    let fresh = prompts.indices.filter { kept[$0] == nil }
    guard !fresh.isEmpty else { return kept.compactMap { $0 } }
    defer { endStream() }
    if let streaming = memory?.textEncoder {
      stream = self.stream([StreamedRun(try BlockRegions(part.source, part.demand), passes: 1)], streaming)
    }
    let encoder = try network(part, .textEncoder, precision)
    let encoded = try encoder(fresh.map { prompts[$0] }, betweenBlocks: betweenBlocks).map(backend.host)
    let made = Dictionary(uniqueKeysWithValues: zip(fresh, encoded))
    let embeddings = prompts.indices.compactMap { kept[$0] ?? made[$0] }
    cache?.keep(fresh.map { (prompts[$0], embeddings[$0]) }) { listeners.onEvent(.notice($0)) }
    return embeddings
  }

  /// The embeddings of prompts of several plans, and nothing else; the encoder does not stay.
  func encodeAlone(_ prompts: [[Int32]]) throws -> [Tensor] {
    memory = try plan.memoryPlan(on: backend.traits)
    defer { networks.drop(.textEncoder) }
    return try stage(.encodingText) { try encode(prompts) }
  }

  private func condition() throws -> Conditioning {
    guard let pictures = plan.knownPictures, let part = plan.imageEncoder else { return .none }
    return try stage(.encodingImage) {
      let encoder = try network(part, .imageEncoder, plan.precision)
      return try Conditioning(
        pictures, as: plan.model.family.conditioning, like: plan.profile,
        clip: [3, plan.frames, plan.height, plan.width], timeStride: plan.model.latents.time,
        encode: { try backend.host(encoder($0.frames, greyFrames: $0.grey, ending: $0.ending)) })
    }
  }

  private func decode(_ latents: Tensor, frames: (Tensor) async throws -> Void) async throws {
    let started = ContinuousClock.now
    listeners.onEvent(.began(.decoding))
    var decoding = DecodedFrames(try frameDecoding(latents), on: backend)
    var done = 0
    while let chunk = try decoding.next(onPart: { listeners.onEvent(.tiles(done: $0, of: $1)) }) {
      try LatentWatchdog.check(frames: chunk, first: done + 1)
      listeners.recorder?.note { $0.frames.append(chunk) }
      // What another clip ended with is not told again.
      let known = min(max(0, plan.leadingFrames.count - done), chunk.shape[0])
      if known < chunk.shape[0] { try await frames(chunk.slice(known..<chunk.shape[0])) }
      done += chunk.shape[0]
      listeners.onEvent(.frames(done: done, of: plan.frames))
    }
    listeners.onEvent(.ended(.decoding, seconds: (ContinuousClock.now - started).inSeconds))
  }

  /// By the VAE, or by a tiny autoencoder in its place.
  private func frameDecoding(_ latents: Tensor) throws -> any FrameDecoding {
    switch plan.model.decoder {
    case .vae(let autoencoder):
      let decoder = try network(autoencoder.decoder, .decoder, plan.precision)
      return decoder.decoding(latents, tiling: plan.decodingTiling)
    case .tiny(let part): return try network(part, .decoder, plan.precision).decoding(latents)
    }
  }

  // MARK: Networks

  /// The transformer of an expert for a step, counted from 0, with the prompts as it sees them.
  private func transformer(
    _ expert: Expert, _ embeddings: [Tensor], step: Int
  ) throws -> (WanTransformer, TextContext) {
    if context?.expert != expert { context = nil }
    if context == nil { enterContext(of: expert) }
    let model = try network(
      plan.model.transformers[expert], expert.networkRole, plan.precision, adapters: plan.fittedAdapters[expert])
    let context = try self.context?.context ?? model.context(embeddings, betweenBlocks: betweenBlocks)
    self.context = (expert, context)
    enterPass(of: expert, step: step)
    return (model, context)
  }

  /// A network that is in memory, or is loaded, for which others go.
  private func network<N: Network>(
    _ part: NetworkPart<N>, _ role: NetworkRole, _ precision: Precision, adapters: [LoRA] = []
  ) throws -> N {
    try networks.network(part, role, precision, adapters: adapters) {
      try Task.checkCancellation()
      // Its weights need the memory that the results of what ran before lay in.
      backend.trim()
      return try stage(role.loading) {
        let source = try source(of: part, precision, adapters)
        return (try part.reading(source).load(on: backend, precision: precision, adapters: adapters), source)
      }
    }
  }

  /// The checkpoint itself, or what is kept of it as bytes.
  func source<N>(of part: NetworkPart<N>, _ precision: Precision, _ adapters: [LoRA]) throws -> any WeightSource {
    // What changes whole matrices needs their own numbers, not bytes that were made of them.
    if adapters.contains(where: \.changesWholeMatrices) { return part.source }
    guard precision == .int8, let cache = tools.int8Cache, part.gainsFromBytes else { return part.source }
    return try cache.source(part, backend: backend) { listeners.onEvent(.notice($0)) }
  }

  private func stage<R>(_ stage: GenerationStage, _ body: () throws -> R) rethrows -> R {
    let started = ContinuousClock.now
    listeners.onEvent(.began(stage))
    let result = try body()
    listeners.onEvent(.ended(stage, seconds: (ContinuousClock.now - started).inSeconds))
    return result
  }
}

extension NetworkPart {
  /// Whether bytes made of its matrices are worth a file of their own: codes are smaller, and become bytes as they are
  /// multiplied.
  fileprivate var gainsFromBytes: Bool {
    let matrices = demand.quantizable
    return !matrices.isEmpty
      && matrices.allSatisfy { source.companions(of: $0.name).isEmpty && source.descriptor($0.name)?.dtype != nil }
  }
}

extension Tensor {
  /// (1 - sigma) x + sigma noise
  fileprivate func noised(by noise: Tensor, sigma: Float) -> Tensor {
    withSpan(of: Float.self) { x in
      noise.withSpan(of: Float.self) { noise in
        Tensor.filled(shape: shape) { y in
          for i in 0..<y.count { y[i] = (1 - sigma) * x[i] + sigma * noise[i] }
        }
      }
    }
  }
}

extension NetworkRole {
  /// The stage of reading it.
  fileprivate var loading: GenerationStage {
    switch self {
    case .textEncoder: .loadingTextEncoder
    case .imageEncoder: .loadingImageEncoder
    case .transformer, .highNoiseTransformer, .lowNoiseTransformer: .loadingTransformer
    case .decoder: .loadingDecoder
    }
  }
}

extension Expert {
  /// The place of its transformer in a model.
  var networkRole: NetworkRole {
    switch self {
    case .only: .transformer
    case .high: .highNoiseTransformer
    case .low: .lowNoiseTransformer
    }
  }
}

extension GenerationTrace {
  fileprivate mutating func record(_ embeddings: [Tensor], _ ids: PromptTokens) {
    (context, promptIDs) = (embeddings[0], ids.prompt)
    if embeddings.count > 1 { (contextNull, negativeIDs) = (embeddings[1], ids.negative ?? []) }
  }
}

/// A thread of its own for the long computations of a run, so that they never hold a thread of the shared pool.
final class GenerationThread: TaskExecutor {
  private let queue = DispatchQueue(label: "wan.generation", qos: .userInitiated)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // The job is run once, by the queue, as the protocol asks.
    queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
