import Layers
public import Logging
public import Sampling
public import Tensors
import WanModels

/// What makes clips: it has a backend, the networks that stay in memory between runs, and does one job at a time.
///
/// A job that comes while another runs waits for its turn, in order. The networks of a job are loaded when it needs them,
/// and others go before, so that never more lies in memory than the budget allows beside the one that computes.
public actor Engine {
  /// What jobs work with.
  struct Tools: Sendable {
    let backend: any Backend
    let promptCache: PromptCache?
    let int8Cache: QuantizedWeightCache?
    let logger: Logger
  }

  let tools: Tools
  private let budget: Int
  private let networks: NetworkStore
  private var turns = Turns()

  /// - Parameters:
  ///   - budget: bytes of networks that may lie in memory beside the one that is needed, and after a run. With 0 one
  ///     network is in memory at a time, and none after a run.
  ///   - promptCache: where encoded prompts are kept and looked for; nowhere when `nil`.
  ///   - int8Cache: where the weights of plans in ``Precision/int8`` are kept; nowhere when `nil`.
  public init(
    backend: any Backend, budget: Int = 0, promptCache: PromptCache? = nil, int8Cache: QuantizedWeightCache? = nil,
    logger: Logger = Logger(label: "wan") { _ in SwiftLogNoOpLogHandler() }
  ) {
    tools = Tools(backend: backend, promptCache: promptCache, int8Cache: int8Cache, logger: logger)
    self.budget = budget
    networks = NetworkStore(budget: budget)
  }

  /// Runs a plan from start to end on a thread of its own, when its turn comes.
  ///
  /// - Parameters:
  ///   - state: where a run of the same plan stood, to go on from there.
  ///   - keepTrace: whether to keep every tensor for the returned trace; costs memory that grows with steps and frames.
  ///   - observers: look at each step in their order, after the watchdog and before the event that tells of it.
  ///   - onEvent: called in order as stages and steps pass.
  ///   - frames: takes frames [n, H, W, 3] in [-1, 1] in order; decoding waits for it.
  /// - Throws: `CancellationError`, at once while it waits for its turn, and within one layer while it computes;
  ///   `WeightError`; `DeviceError`; `SamplingError` when latents or frames stop being finite, or the state is another
  ///   plan's; whatever an observer or `frames` throws.
  @discardableResult
  public func run(
    _ plan: GenerationPlan, from state: RunState? = nil, keepTrace: Bool = false, observers: [any StepObserver] = [],
    onEvent: @escaping @Sendable (GenerationEvent) -> Void = { _ in },
    frames: @escaping @Sendable (Tensor) async throws -> Void
  ) async throws -> GenerationTrace? {
    let recorder = keepTrace ? TraceRecorder() : nil
    let listeners = JobListeners(
      recorder: recorder, observers: observers, onEvent: onEvent, state: state, sampled: { _ in })
    try await perform(plan, listeners, frames: frames)
    return recorder?.trace
  }

  /// Carries out a plan when its turn comes.
  func perform(
    _ plan: GenerationPlan, _ listeners: JobListeners, frames: @escaping @Sendable (Tensor) async throws -> Void
  ) async throws {
    try await takeTurn()
    defer { turns.pass() }
    try await Self.carryOut(plan, with: tools, networks, listeners, frames: frames)
  }

  /// Encodes prompts when its turn comes; see ``encode(_:onEvent:)``.
  func embeddings(
    of prompts: [[Int32]], as plan: GenerationPlan, onEvent: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> [Tensor] {
    try await takeTurn()
    defer { turns.pass() }
    let listeners = JobListeners(recorder: nil, observers: [], onEvent: onEvent, state: nil, sampled: { _ in })
    return try await Self.encode(prompts, plan, with: tools, networks, listeners)
  }

  /// Gives back the memory of every network, when no job runs.
  public func unload() async throws {
    try await takeTurn()
    defer { turns.pass() }
    _ = networks.take()
  }

  /// The networks in memory, the one used last at the end; none while a job has them.
  public var loaded: [NetworkRole] { networks.shelf.places.map(\.key.role) }

  /// How many jobs wait for their turn.
  public var waitingCount: Int { turns.count }

  /// What a plan would load and let go of, in order, if it ran now; a cache of prompts may spare the text encoder.
  public func changes(for plan: GenerationPlan) -> (loads: [NetworkRole], drops: [NetworkRole]) {
    var shelf = networks.shelf
    var (loads, drops): ([NetworkRole], [NetworkRole]) = ([], [])
    for (key, byteCount) in plan.networks {
      guard let dropped = shelf.place(key, byteCount: byteCount, budget: budget) else { continue }
      loads.append(key.role)
      drops += dropped.map(\.role)
    }
    return (loads, drops + shelf.trim(to: budget).map(\.role))
  }

  private func takeTurn() async throws {
    try Task.checkCancellation()
    guard let ticket = turns.take() else { return }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { turns.wait(ticket, $0) }
    } onCancel: {
      Task { await self.leave(ticket) }
    }
  }

  private func leave(_ ticket: Turns.Ticket) { turns.leave(ticket) }

  /// Off the actor, which goes on to answer questions and to let others wait.
  @concurrent
  private static func carryOut(
    _ plan: GenerationPlan, with tools: Tools, _ networks: NetworkStore, _ listeners: JobListeners,
    frames: @escaping @Sendable (Tensor) async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(GenerationThread()) {
      let job = GenerationJob(plan, with: tools, networks.take(), listeners)
      defer { networks.give(job.finish()) }
      try await job.run(frames: frames)
    }
  }

  @concurrent
  private static func encode(
    _ prompts: [[Int32]], _ plan: GenerationPlan, with tools: Tools, _ networks: NetworkStore, _ listeners: JobListeners
  ) async throws -> [Tensor] {
    try await withTaskExecutorPreference(GenerationThread()) {
      let job = GenerationJob(plan, with: tools, networks.take(), listeners)
      defer { networks.give(job.finish()) }
      return try job.encodeAlone(prompts)
    }
  }
}

extension GenerationPlan {
  /// The networks that carrying it out needs, in order, and their bytes.
  fileprivate var networks: [(key: NetworkShelf.Key, byteCount: Int)] {
    func entry<N>(
      _ part: NetworkPart<N>, _ role: NetworkRole, _ precision: Precision, _ adapters: [LoRA] = []
    ) -> (NetworkShelf.Key, Int) {
      (part.key(role, precision, adapters), part.source.byteCount(of: part.demand))
    }
    var entries = [entry(model.textEncoder, .textEncoder, precision.unquantized)]
    if let imageEncoder { entries.append(entry(imageEncoder, .imageEncoder, precision)) }
    entries += stepsPerExpert.map { step in
      entry(
        model.transformers[step.expert], step.expert.networkRole, precision, fittedAdapters[step.expert])
    }
    switch model.decoder {
    case .vae(let autoencoder): entries.append(entry(autoencoder.decoder, .decoder, precision))
    case .tiny(let part): entries.append(entry(part, .decoder, precision))
    }
    return entries
  }
}

/// Who waits for whom: one has the turn, the others follow in the order in which they came.
private struct Turns {
  typealias Ticket = UInt64
  private var isTaken = false
  private var next: Ticket = 0
  private var waiting: [(ticket: Ticket, continuation: CheckedContinuation<Void, any Error>)] = []

  /// The turn at once, or a ticket to wait with.
  mutating func take() -> Ticket? {
    guard isTaken else {
      isTaken = true
      return nil
    }
    next += 1
    return next
  }

  var count: Int { waiting.count }

  mutating func wait(_ ticket: Ticket, _ continuation: CheckedContinuation<Void, any Error>) {
    waiting.append((ticket, continuation))
  }

  /// Ends a wait, if it is still one.
  mutating func leave(_ ticket: Ticket) {
    guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return }
    waiting.remove(at: index).continuation.resume(throwing: CancellationError())
  }

  mutating func pass() {
    isTaken = !waiting.isEmpty
    if isTaken { waiting.removeFirst().continuation.resume() }
  }
}
