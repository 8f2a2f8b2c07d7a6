import Layers
import Sampling
import Tensors
import WanModels

/// The sampling loop of all models: from noise to latents, one transformer pass and one solver step per timestep.
struct Denoiser {
  let plan: GenerationPlan
  let backend: any Backend
  let conditioning: Conditioning

  /// noise [C, T, h, w] -> latents [C, T, h, w]
  func callAsFunction(
    _ noise: Tensor, experts: inout ExpertSlot, trace: inout GenerationTrace?,
    onEvent: (GenerationEvent) -> Void
  ) throws -> Tensor {
    let grid = TokenGrid(latents: noise.shape)
    let rotary = RotaryTable(headDimension: experts.headDimension, grid: grid, on: backend)
    var solver = makeSolver(plan.solver, schedule: plan.schedule)
    var clock = StepClock(steps: plan.steps)
    var latents = conditioning.holding(noise)
    for (step, t) in plan.schedule.timesteps.enumerated() {
      try Task.checkCancellation()
      let expert = plan.experts[step]
      if experts.needsLoading(expert) { onEvent(.stage(.loadingExpert)) }
      let (model, context) = try experts.active(expert, onEvent: onEvent)
      clock.start()
      let velocities = try model(
        conditioning.input(latents, backend), timesteps: conditioning.timesteps(t, grid: grid), rotary: rotary,
        context: context
      ).map(backend.host)
      let stepped = solver.step(velocity: guided(velocities, by: expert), latents: latents)
      try LatentWatchdog.check(stepped, step: step + 1, expert: expert == .only ? nil : expert.rawValue)
      trace?.record(stepped, timestep: t, expert: expert)
      latents = conditioning.holding(stepped)
      onEvent(.step(clock.finish(step: step + 1, expert: expert, timestep: t)))
    }
    return latents
  }

  /// uncond + g (cond - uncond); the prompts go through as [cond, uncond], or cond alone where g is 1.
  private func guided(_ velocities: [Tensor], by expert: Expert) -> Velocity {
    guard velocities.count == 2 else { return Velocity(velocities[0]) }
    let scale = expert == .high ? plan.guidance.high : plan.guidance.low
    return Velocity(conditional: velocities[0], unconditional: velocities[1], scale: scale)
  }
}

extension GenerationTrace {
  fileprivate mutating func record(_ latents: Tensor, timestep: Float, expert: Expert) {
    self.latents.append(latents)
    timesteps.append(timestep)
    experts.append(expert)
  }
}
