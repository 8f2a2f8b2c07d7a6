import Sampling
import Tensors

/// The steps of a plan, put together from what a request, a recipe and a model's defaults say of them.
struct ChosenSchedule {
  let schedule: Schedule
  /// The flow shift that warped it.
  let shift: Double
  let solver: SolverKind
  /// How many steps the high-noise expert takes; `nil` by the model's boundary.
  let switchStep: Int?
  /// The expert of each step.
  let experts: [Expert]
  /// Whether the steps are a list of their own, which a number of steps and a shift do not tell.
  let isListed: Bool

  /// - Parameter defaults: the model's, with the recipe's over them.
  /// - Throws: ``RequestError`` for steps that make no schedule.
  init(
    _ request: GenerationRequest, model: ModelFolder, defaults: GenerationDefaults, recipe: Recipe?
  ) throws(RequestError) {
    solver = request.solver ?? defaults.solver
    let steps = try Self.steps(request, defaults)
    let listed = try Self.listed(request, steps: steps, defaults, recipe)
    isListed = listed != nil
    if let listed {
      (schedule, shift) = listed
    } else {
      (schedule, shift) = try Self.even(request, steps: steps, model, defaults, recipe)
    }
    // UniPC divides by the signal that there is at the start.
    guard solver != .unipc || schedule.sigmas[0] < 1 else {
      throw .field(.solver, "unipc cannot begin at timestep \(schedule.timesteps[0]); use lcm, euler or dpm++")
    }
    try Self.check(switchStep: request.switchStep, steps: steps, model.family)
    let own = recipe.flatMap { $0.steps == steps ? $0.switchStep : nil }
    let ownSwitch = request.timesteps == nil && steps == defaults.steps ? defaults.own.switchStep ?? own : nil
    switchStep = model.family.hasTwoExperts ? request.switchStep ?? ownSwitch : nil
    experts = ExpertSchedule(boundary: model.boundary).experts(at: schedule.timesteps, switchStep: switchStep)
  }

  private static func steps(
    _ request: GenerationRequest, _ defaults: GenerationDefaults
  ) throws(RequestError) -> Int {
    let steps = request.steps ?? request.timesteps?.count ?? defaults.steps
    guard (1...Schedule.largestStepCount).contains(steps) else {
      throw .field(.steps, "\(steps) is not from 1 to \(Schedule.largestStepCount)")
    }
    if let count = request.timesteps?.count, count != steps {
      throw .field(.timesteps, "\(count) of them are not \(steps) steps; leave the number of steps out")
    }
    if let shift = request.shift, !(shift.isFinite && shift > 0) {
      throw .field(.shift, "\(shift) is not a positive number")
    }
    return steps
  }

  /// Steps that the request, the model's own configuration or the recipe lists, in this order.
  private static func listed(
    _ request: GenerationRequest, steps: Int, _ defaults: GenerationDefaults, _ recipe: Recipe?
  ) throws(RequestError) -> (Schedule, Double)? {
    let own = defaults.own.timesteps.flatMap { $0.count == steps ? $0 : nil }
    return try making { () throws(SamplingError) in
      if let timesteps = request.timesteps ?? own {
        let shift = request.shift ?? 1
        return (try Schedule(timesteps: timesteps, shift: shift), shift)
      }
      return try recipe?.schedule(steps: steps, shift: request.shift)
    }
  }

  /// Evenly spaced steps.
  private static func even(
    _ request: GenerationRequest, steps: Int, _ model: ModelFolder, _ defaults: GenerationDefaults, _ recipe: Recipe?
  ) throws(RequestError) -> (Schedule, Double) {
    let isDiffusers = request.profile == .diffusers
    let own = isDiffusers && recipe == nil ? model.schedulerShift : nil
    let shift = request.shift ?? own ?? defaults.shift
    let solver = request.solver ?? defaults.solver
    return try making { () throws(SamplingError) in
      // Of the solvers here, diffusers' pipelines run UniPC alone on a grid of their own.
      if isDiffusers, solver == .unipc { return (try Schedule(diffusersSteps: steps, shift: shift), shift) }
      return (try Schedule(solver: solver, steps: steps, shift: shift), shift)
    }
  }

  private static func check(switchStep: Int?, steps: Int, _ family: ModelFamily) throws(RequestError) {
    guard let switchStep else { return }
    guard family.hasTwoExperts else {
      throw .field(.switchStep, "\(family.name) is one transformer; there is nothing to switch")
    }
    guard (0...steps).contains(switchStep) else {
      throw .field(.switchStep, "the high-noise expert cannot take \(switchStep) of \(steps) steps")
    }
  }

  private static func making<R>(_ body: () throws(SamplingError) -> R) throws(RequestError) -> R {
    do {
      return try body()
    } catch {
      throw .schedule(error)
    }
  }
}
