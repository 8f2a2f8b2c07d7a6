import Files
import Layers
public import Sampling
import Tensors

/// How a distilled model is run: with few steps, and without guidance, which it has learnt to do without.
///
/// Nothing in a file tells that its model was distilled; its name does, or a folder's generation_config.json.
public struct Recipe: Sendable, Hashable, Codable {
  /// As `--preset` of the command names it.
  public let name: String
  /// Of the solver, and the most that are of any use.
  public let steps, mostSteps: Int
  /// Where the steps lie.
  public let grid: Grid
  /// The flow shift of evenly spaced steps.
  public let shift: Double
  /// Of both experts.
  public let guidance: Float
  /// Which sampler walks.
  public let solver: SolverKind
  /// How many of the ``steps`` the high-noise expert takes; by the model's boundary where it is `nil`.
  public let switchStep: Int?

  /// Where the steps of a distilled model lie.
  public enum Grid: Sendable, Hashable, Codable {
    /// Evenly spaced, warped by the flow shift.
    case even
    /// At these timesteps, as they are; `nearestOfShift` as in ``Schedule``. A shift that is asked for warps them.
    case timesteps([Float], nearestOfShift: Double)
    /// At the angle whose tangent this is, and at these angles of the quarter circle. No shift changes them.
    case angles(sigmaMax: Double, [Double])
  }

  /// LightX2V's step distillation of both A14B models, as LoRAs and as whole models
  /// (https://github.com/ModelTC/LightX2V, configurations of the 4-step models): timesteps 1000, 937.5, 833.33, 625.
  public static let lightx2v = Recipe(
    name: "lightx2v", steps: 4, mostSteps: 8, grid: .even, shift: 5, guidance: 1, solver: .euler, switchStep: 2)

  /// FastVideo's distribution matching distillation of TI2V-5B (https://github.com/hao-ai-lab/FastVideo,
  /// `DmdDenoisingStage`): timesteps 1000, 757, 522 as they are, unless a shift is asked for; FastVideo's program for
  /// Apple's machines warps them by 5.
  public static let fastwan = Recipe(
    name: "fastwan", steps: 3, mostSteps: 3, grid: .timesteps([1000, 757, 522], nearestOfShift: 8), shift: 5,
    guidance: 1, solver: .lcm, switchStep: nil)

  /// TurboDiffusion's rCM distillation of I2V-A14B (https://github.com/thu-ml/TurboDiffusion, `wan2.2_i2v_infer.py`):
  /// sigma_max 200, with fresh noise at each step; `--solver euler` is its `--ode`.
  public static let turbo = Recipe(
    name: "turbo", steps: 4, mostSteps: 4, grid: .angles(sigmaMax: 200, [1.5, 1.4, 1.0]), shift: 5,
    guidance: 1, solver: .lcm, switchStep: nil)

  /// Every recipe.
  public static let all = [lightx2v, fastwan, turbo]

  /// Parts of names that tell a recipe, in lower case, and whether what was distilled has two experts.
  private static let marks: [(recipe: Recipe, isOfExperts: Bool, parts: [String])] = [
    (lightx2v, true, ["lightx2v", "lightning", "4step", "4-step", "4_step"]), (fastwan, false, ["fastwan"]),
    (turbo, true, ["turbo"]),
  ]

  /// Their names, as messages list them.
  static var known: String { all.map(\.name).joined(separator: ", ") }

  /// The recipe of a model whose files have such names, and the file that tells it.
  static func told(by paths: [String], hasTwoExperts: Bool) -> (recipe: Recipe, path: String)? {
    for path in paths {
      // The model's or the LoRA's own name, or that of the folder that a pair of files lies in.
      let names = [Paths.name(of: path), Paths.name(of: Paths.folder(of: path))].map { $0.lowercased() }
      for mark in marks where mark.isOfExperts == hasTwoExperts {
        if names.contains(where: { mark.parts.contains(where: $0.contains) }) { return (mark.recipe, path) }
      }
    }
    return nil
  }

  /// The recipe that names tell of a file of which no more is known.
  static func told(by paths: [String]) -> Recipe? {
    (told(by: paths, hasTwoExperts: true) ?? told(by: paths, hasTwoExperts: false))?.recipe
  }

  /// These defaults with the recipe's over them.
  func applied(to defaults: GenerationDefaults) -> GenerationDefaults {
    var defaults = defaults
    (defaults.steps, defaults.shift, defaults.solver) = (steps, shift, solver)
    defaults.guidance = GuidanceScales(guidance)
    (defaults.own.timesteps, defaults.own.switchStep) = (nil, nil)
    return defaults
  }

  /// The schedule of so many of its steps, and the shift that warped it; `nil` where the recipe's are evenly spaced, or
  /// are fewer.
  func schedule(steps: Int, shift: Double?) throws(SamplingError) -> (schedule: Schedule, shift: Double)? {
    switch grid {
    case .timesteps(let timesteps, let trainedShift) where steps <= timesteps.count:
      let timesteps = Array(timesteps.prefix(steps))
      guard let shift else { return (try Schedule(timesteps: timesteps, nearestOfShift: trainedShift), 1) }
      return (try Schedule(timesteps: timesteps, shift: shift), shift)
    case .angles(let sigmaMax, let angles) where steps <= angles.count + 1:
      return (try Schedule(sigmaMax: sigmaMax, angles: Array(angles.prefix(steps - 1))), 1)
    default: return nil
    }
  }
}

extension GenerationDefaults {
  /// A model's defaults where a recipe is followed, or none: they hold the recipe that its folder names already, under
  /// what else the folder says; another one, or none, has no use for what is said of that one.
  func following(_ recipe: Recipe?, published: GenerationDefaults) -> GenerationDefaults {
    guard let own = own.recipe?.recipe else { return recipe?.applied(to: self) ?? self }
    if own == recipe { return self }
    var others = published
    (others.width, others.height, others.frames, others.framesPerSecond) = (width, height, frames, framesPerSecond)
    return recipe?.applied(to: others) ?? others
  }
}

/// The recipe that a plan goes by, and why.
public struct ChosenRecipe: Sendable, Hashable, Codable {
  /// The recipe.
  public let recipe: Recipe
  /// The file whose name, or whose text, told it; `nil` where the request names it.
  public let toldBy: String?

  init(_ recipe: Recipe, toldBy: String?) {
    (self.recipe, self.toldBy) = (recipe, toldBy)
  }

  /// The recipe that a request asks for, or that a model's configuration or names tell.
  ///
  /// - Throws: ``RequestError`` for a name that is none.
  init?(_ request: GenerationRequest, model: ModelFolder) throws(RequestError) {
    if let name = request.preset {
      if name == Self.none { return nil }
      guard let recipe = Recipe.all.first(where: { $0.name == name }) else {
        throw .field(.preset, "there is no '\(name.prefix(40))'; known are \(Recipe.known), \(Self.none)")
      }
      self.init(recipe, toldBy: nil)
      return
    }
    self.init(model, adapters: request.adapters.filter { $0.strength != 0 }.map(\.path))
  }

  /// The recipe that a model's configuration tells, or its files' names and those of LoRAs.
  init?(_ model: ModelFolder, adapters: [String] = []) {
    if let chosen = model.defaults.own.recipe {
      self = chosen
      return
    }
    let files = model.transformers.all.map(\.part.source.location) + model.foundParts.map(\.path) + [model.path]
    guard let told = Recipe.told(by: adapters + files, hasTwoExperts: model.family.hasTwoExperts) else { return nil }
    self.init(told.recipe, toldBy: told.path)
  }

  /// The name that asks for no recipe, whatever the files' names say.
  public static let none = "none"

  /// What is wrong with choices that a distilled model cannot use.
  func warnings(steps: Int, guidance: GuidanceScales, shift: Double?) -> [String] {
    var warnings: [String] = []
    if steps > recipe.mostSteps {
      warnings.append(
        "\(steps) steps are more than a model distilled for \(recipe.steps) (\(recipe.name)) can use")
    }
    if max(guidance.low, guidance.high) > 1.5 {
      warnings.append(
        "guidance \(max(guidance.low, guidance.high)) is for models that were not distilled; \(recipe.name) is run with 1"
      )
    }
    if let shift, case .angles(_, let angles) = recipe.grid, steps <= angles.count + 1 {
      warnings.append("shift \(shift) changes nothing: the steps of \(recipe.name) lie at angles of their own")
    }
    return warnings
  }
}
