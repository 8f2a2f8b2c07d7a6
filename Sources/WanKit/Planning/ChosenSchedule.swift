import Sampling
import Tensors

/// The steps of a plan, put together from what a request, a recipe and a model's defaults say of them.
struct ChosenSchedule {
  private(set) var schedule: Schedule
  /// The steps with those that a video leaves out.
  let whole: Schedule
  /// Steps of the whole schedule that are left out, because the run begins with a video.
  private(set) var skipped = 0
  /// The flow shift that warped it.
  let shift: Double
  let solver: SolverKind
  /// How many steps the high-noise expert takes; `nil` by the boundary.
  let switchStep: Int?
  /// Where the experts change, where that is not the model's own place.
  let boundary: Double?
  /// The expert of each step.
  private(set) var experts: [Expert]
  /// Whether the steps are a list of their own, which a number of steps and a shift do not tell.
  let isListed: Bool
  /// Whether that list was one of noise levels.
  let hasListedSigmas: Bool

  /// - Parameter defaults: the model's, with the recipe's over them.
  /// - Throws: ``RequestError`` for steps that make no schedule.
  init(
    _ request: GenerationRequest, model: ModelFolder, defaults: GenerationDefaults, recipe: Recipe?
  ) throws(RequestError) {
    solver = request.solver ?? defaults.solver
    let steps = try Self.steps(request, defaults)
    let listed = try Self.listed(request, steps: steps, defaults, recipe)
    (isListed, hasListedSigmas) = (listed != nil, request.sigmas != nil)
    if let listed {
      (whole, shift) = listed
    } else {
      (whole, shift) = try Self.even(request, steps: steps, model, defaults, recipe)
    }
    schedule = whole
    try Self.check(switchStep: request.switchStep, boundary: request.boundary, steps: steps, model.family)
    let own = recipe.flatMap { $0.steps == steps ? $0.switchStep : nil }
    let isOwn = request.timesteps == nil && request.sigmas == nil && request.boundary == nil && steps == defaults.steps
    let ownSwitch = isOwn ? defaults.own.switchStep ?? own : nil
    switchStep = model.family.hasTwoExperts ? request.switchStep ?? ownSwitch : nil
    boundary = request.boundary
    let change = ExpertSchedule(boundary: boundary ?? model.boundary)
    experts = change.experts(at: schedule.timesteps, switchStep: switchStep)
    if let strength = request.strength {
      skipped = try begin(at: strength, like: request.profile ?? .wan)
      let own = change.experts(at: schedule.timesteps)
      experts = switchStep == nil ? own : Array(experts[skipped...])
    }
    // UniPC divides by the signal that there is at the start.
    guard solver != .unipc || schedule.sigmas[0] < 1 else {
      throw .field(.solver, "unipc cannot begin at timestep \(schedule.timesteps[0]); use lcm, euler or dpm++")
    }
  }

  /// Leaves out the steps above a noise level; diffusers takes a part of the number of steps instead.
  ///
  /// - Returns: how many are left out.
  private mutating func begin(at strength: Double, like profile: Profile) throws(RequestError) -> Int {
    guard strength > 0, strength < 1 else {
      throw .field(
        .strength,
        "\(strength) is not between 0, which would leave the video as it is, and 1, which would leave nothing of it")
    }
    if profile == .diffusers {
      let taken = Int(Double(schedule.steps) * strength)
      guard taken > 0 else {
        throw .field(.strength, "\(strength) of \(schedule.steps) steps is none; ask for more of either")
      }
      let first = schedule.steps - taken
      schedule = Schedule(schedule, from: first)
      return first
    }
    let sigma = Float(strength)
    guard let first = schedule.sigmas.lastIndex(where: { $0 >= sigma }) else {
      throw .field(.strength, "the steps begin at noise level \(schedule.sigmas[0]), below \(strength)")
    }
    schedule = Schedule(schedule, from: first, at: sigma)
    return first
  }

  private static func steps(
    _ request: GenerationRequest, _ defaults: GenerationDefaults
  ) throws(RequestError) -> Int {
    let steps = request.steps ?? request.timesteps?.count ?? request.sigmas?.count ?? defaults.steps
    guard (1...Schedule.largestStepCount).contains(steps) else {
      throw .field(.steps, "\(steps) is not from 1 to \(Schedule.largestStepCount)")
    }
    guard request.timesteps == nil || request.sigmas == nil else {
      throw .field(.sigmas, "they and timesteps say the same thing twice; give one of them")
    }
    for (field, count) in [(RequestField.timesteps, request.timesteps?.count), (.sigmas, request.sigmas?.count)] {
      if let count, count != steps {
        throw .field(field, "\(count) of them are not \(steps) steps; leave the number of steps out")
      }
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
      if let sigmas = request.sigmas {
        let shift = request.shift ?? 1
        return (try Schedule(sigmas: sigmas, shift: shift), shift)
      }
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

  private static func check(
    switchStep: Int?, boundary: Double?, steps: Int, _ family: ModelFamily
  ) throws(RequestError) {
    if let boundary {
      guard family.hasTwoExperts else {
        throw .field(.boundary, "\(family.name) is one transformer; there is nothing to switch")
      }
      guard (0...1).contains(boundary) else { throw .field(.boundary, "\(boundary) is no noise level from 0 to 1") }
      guard switchStep == nil else {
        throw .field(.boundary, "the steps of each expert are given, so that no noise level decides; give one of both")
      }
    }
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
