// C latent channels, T latent frames of h x w.

import Layers
public import Sampling
public import Tensors
import WanModels

/// A finished step of a run: what observers see.
public struct StepResult: Sendable {
  /// Counted from 1, and how many there are in all.
  public let step, steps: Int
  /// What the model was told, 0...1000.
  public let timestep: Float
  /// The transformer that ran.
  public let expert: Expert
  /// Where the solver came to, before a known first frame is put back: [C, T, h, w] float32.
  public let latents: Tensor
  /// The clean sample that the step pointed to, with known frames in their places, for previews; costs nothing until
  /// it is asked for.
  public var clean: Tensor { conditioning.holding(solved.clean, isLast: true) }
  /// What the step took, without loading.
  public let seconds: Double
  /// Whether the transformer did not run, and what it had said at an earlier step was used again.
  public let isSkipped: Bool
  /// Where the run stands after it: what a run is resumed from.
  public let state: RunState

  private let solved: SolverStep
  private let conditioning: Conditioning

  fileprivate init(
    _ solved: SolverStep, _ conditioning: Conditioning, _ state: RunState, _ plan: GenerationPlan, seconds: Double,
    isSkipped: Bool
  ) {
    (self.solved, self.conditioning, self.state, latents) = (solved, conditioning, state, solved.latents)
    self.isSkipped = isSkipped
    (step, steps, self.seconds) = (state.facts.step, plan.steps, seconds)
    (timestep, expert) = (plan.schedule.timesteps[step - 1], plan.experts[step - 1])
  }
}

/// The sampling loop of all models, a step at a time: from noise to latents, one transformer pass and one solver step per
/// timestep.
///
/// What else wants to be done with a step, a trace, a preview, a saved state, is done by who asks for the next one.
struct DenoisingRun {
  private let plan: GenerationPlan
  private let conditioning: Conditioning
  private let backend: any Backend
  private let rotary: RotaryTable
  private var solver: any Solver
  /// Where the run stands: [C, T, h, w] float32, with the known first frame put back.
  private(set) var latents: Tensor
  private var draws: NoiseDraws
  /// What the transformer said before; `nil` where every step asks it.
  private var cache: StepCache?
  /// Gives the transformer of an expert for a step, counted from 0, and the prompts as it sees them.
  private let expert: (Expert, _ step: Int) throws -> (model: WanTransformer, context: TextContext)
  /// The one place that decides whether a step goes on between its blocks: several machines that share a step must come to
  /// the same answer, or some would wait for ever.
  private let betweenBlocks: () throws -> Void

  /// At the first step, from noise [C, T, h, w] float32, or where a run of the same plan stood.
  ///
  /// - Throws: `SamplingError` for a state of another plan.
  init(
    _ plan: GenerationPlan, from start: Start, _ conditioning: Conditioning, on backend: any Backend,
    expert: @escaping (Expert, _ step: Int) throws -> (model: WanTransformer, context: TextContext),
    betweenBlocks: @escaping () throws -> Void = { try Task.checkCancellation() }
  ) throws(SamplingError) {
    self.betweenBlocks = betweenBlocks
    (self.plan, self.conditioning, self.backend, self.expert) = (plan, conditioning, backend, expert)
    rotary = RotaryTable(
      headDimension: plan.model.transformers.configuration.headDimension, grid: plan.grid, on: backend)
    switch start {
    case .noise(let noise, let draws):
      solver = makeSolver(plan.solver, schedule: plan.schedule)
      (latents, self.draws) = (conditioning.holding(noise.scaled(by: plan.schedule.noiseScale)), draws)
      cache = plan.caching.map { StepCache($0, solver: plan.solver) }
    case .state(let state):
      try plan.check(state)
      solver = try makeSolver(plan.solver, schedule: plan.schedule, state: state.history)
      latents = state.latents
      draws = NoiseDraws(plan.noise, seed: plan.seed, after: state.facts.draws)
      cache = plan.caching.map { StepCache($0, solver: plan.solver, state: state.cache ?? .init()) }
    }
  }

  /// Where a run begins: with the first draw of its noise, or at a state.
  enum Start {
    case noise(Tensor, NoiseDraws)
    case state(RunState)
  }

  /// Where the run stands.
  private var state: RunState {
    let facts = RunState.Facts(
      step: solver.index, solver: plan.solver, seed: plan.seed, noise: plan.noise, draws: draws.counts,
      cache: cache?.state.facts)
    return RunState(facts, latents: latents, history: solver.state, cache: cache?.state)
  }

  /// The next step, or `nil` after the last.
  ///
  /// - Throws: `CancellationError` within one block of the task's cancellation; `DeviceError`; what loading throws.
  mutating func next() throws -> StepResult? {
    let step = solver.index
    guard step < plan.steps else { return nil }
    try Task.checkCancellation()
    let name = plan.experts[step]
    var started = ContinuousClock.now
    let place = StepCache.Step(
      step, of: plan.steps, expert: name, sigma: plan.schedule.sigmas[step],
      branches: plan.isGuided(step: step + 1) ? 2 : 1)
    let kept = cache?.outputs(at: place, latents: latents)
    let velocities = try kept ?? computed(step, name, &started)
    if kept == nil { cache?.record(velocities, at: place, latents: latents) }
    let solved = solver.step(velocity: guided(velocities, by: name), latents: latents)
      .renoised { draws.next(plan.latentShape) }
    // The known frame is put back after the step, so that the solver's history is that of its own latents, as published.
    latents = conditioning.holding(solved.latents, isLast: step + 1 == plan.steps)
    let seconds = (ContinuousClock.now - started).inSeconds
    return StepResult(solved, conditioning, state, plan, seconds: seconds, isSkipped: kept != nil)
  }

  /// What the transformer says of the latents, for each prompt; a skipped step does not even load it.
  ///
  /// - Parameter started: set to when the transformer was loaded.
  private func computed(_ step: Int, _ name: Expert, _ started: inout ContinuousClock.Instant) throws -> [Tensor] {
    let (model, prompts) = try expert(name, step)
    let context = plan.isGuided(step: step + 1) ? prompts : prompts.first
    started = .now
    return try model(
      conditioning.input(latents, backend),
      timesteps: conditioning.timesteps(plan.schedule.timesteps[step], grid: plan.grid), rotary: rotary,
      context: context, betweenBlocks: betweenBlocks
    ).map(backend.host)
  }

  /// uncond + g (cond - uncond); the prompts go through as [cond, uncond], or cond alone where g is 1.
  private func guided(_ velocities: [Tensor], by expert: Expert) -> Velocity {
    guard velocities.count == 2 else { return Velocity(velocities[0]) }
    let scale = expert == .high ? plan.guidance.high : plan.guidance.low
    return Velocity(conditional: velocities[0], unconditional: velocities[1], scale: scale)
  }
}

extension Tensor {
  /// The noise of a schedule that begins below its full level.
  fileprivate func scaled(by factor: Float) -> Tensor {
    guard factor != 1 else { return self }
    return withSpan(of: Float.self) { x in
      Tensor.filled(shape: shape) { y in
        for i in 0..<y.count { y[i] = factor * x[i] }
      }
    }
  }
}

extension GenerationPlan {
  /// Whether a run of this plan can stand where a state says.
  func check(_ state: RunState) throws(SamplingError) {
    let facts = state.facts
    guard facts.solver == solver, facts.seed == seed, facts.noise == noise else {
      throw .state("it is of solver \(facts.solver.rawValue) and seed \(facts.seed)")
    }
    guard facts.step == state.history.index else {
      throw .state("it is of step \(facts.step), its solver's history of step \(state.history.index)")
    }
    // One draw to begin with, and one more for each step that puts fresh noise on top.
    let draws = 1 + (solver.drawsNoise ? min(facts.step, steps - 1) : 0)
    guard facts.draws == Array(repeating: latentShape.count, count: max(draws, 0)) else {
      throw .state("its noise was drawn in \(facts.draws.count) parts of other sizes")
    }
    guard (state.cache != nil) == (caching != nil) else {
      throw .state("it is of a run \(state.cache == nil ? "without" : "with") a cache of steps")
    }
    let tensors = state.tensors.map(\.tensor)
    for tensor in tensors where tensor.shape != latentShape || tensor.dtype != .f32 {
      throw .state("it holds \(tensor.dtype) \(tensor.shape), the plan's latents are f32 \(latentShape)")
    }
  }
}
