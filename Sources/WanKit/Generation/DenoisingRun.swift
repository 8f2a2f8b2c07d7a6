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
  /// The clean sample that the step pointed to, for previews; costs nothing until it is asked for.
  public var clean: Tensor { solved.clean }
  /// What the step took, without loading.
  public let seconds: Double

  private let solved: SolverStep

  init(_ solved: SolverStep, step: Int, of steps: Int, timestep: Float, expert: Expert, seconds: Double) {
    (self.solved, latents) = (solved, solved.latents)
    (self.step, self.steps, self.timestep, self.expert, self.seconds) = (step, steps, timestep, expert, seconds)
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
  /// Gives the transformer of an expert, and the prompts as it sees them.
  private let expert: (Expert) throws -> (model: WanTransformer, context: TextContext)

  /// - Parameter noise: [C, T, h, w] float32.
  init(
    _ plan: GenerationPlan, from noise: Tensor, _ conditioning: Conditioning, on backend: any Backend,
    expert: @escaping (Expert) throws -> (model: WanTransformer, context: TextContext)
  ) {
    (self.plan, self.conditioning, self.backend, self.expert) = (plan, conditioning, backend, expert)
    rotary = RotaryTable(
      headDimension: plan.model.transformers.configuration.headDimension, grid: plan.grid, on: backend)
    solver = makeSolver(plan.solver, schedule: plan.schedule)
    latents = conditioning.holding(noise)
  }

  /// The next step, or `nil` after the last.
  ///
  /// - Throws: `CancellationError` within one block of the task's cancellation; `DeviceError`; what loading throws.
  mutating func next() throws -> StepResult? {
    let step = solver.index
    guard step < plan.steps else { return nil }
    try stopIfAsked()
    let (t, name) = (plan.schedule.timesteps[step], plan.experts[step])
    let (model, context) = try expert(name)
    let started = ContinuousClock.now
    let velocities = try model(
      conditioning.input(latents, backend), timesteps: conditioning.timesteps(t, grid: plan.grid), rotary: rotary,
      context: context, betweenBlocks: stopIfAsked
    ).map(backend.host)
    let solved = solver.step(velocity: guided(velocities, by: name), latents: latents)
    // The known frame is put back after the step, so that the solver's history is that of its own latents, as published.
    latents = conditioning.holding(solved.latents)
    return StepResult(
      solved, step: step + 1, of: plan.steps, timestep: t, expert: name,
      seconds: (ContinuousClock.now - started).inSeconds)
  }

  /// The one place that decides whether a step goes on, at its start and between its blocks: several machines that share
  /// a step must come to the same answer, or some would wait for ever.
  private func stopIfAsked() throws { try Task.checkCancellation() }

  /// uncond + g (cond - uncond); the prompts go through as [cond, uncond], or cond alone where g is 1.
  private func guided(_ velocities: [Tensor], by expert: Expert) -> Velocity {
    guard velocities.count == 2 else { return Velocity(velocities[0]) }
    let scale = expert == .high ? plan.guidance.high : plan.guidance.low
    return Velocity(conditional: velocities[0], unconditional: velocities[1], scale: scale)
  }
}
