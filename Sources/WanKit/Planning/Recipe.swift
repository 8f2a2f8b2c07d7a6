import Files
import Layers
public import Sampling
import Tensors

/// How a distilled model is run: with few steps, and without guidance, which it has learnt to do without.
///
/// Nothing in a file tells that its model was distilled; its name does.
public struct Recipe: Sendable, Hashable, Codable {
  /// As `--preset` of the command names it.
  public let name: String
  /// Of the solver, and the most that are of any use.
  public let steps, mostSteps: Int
  /// The flow shift.
  public let shift: Double
  /// Of both experts.
  public let guidance: Float
  /// Which sampler walks.
  public let solver: SolverKind

  /// LightX2V's step distillation of both A14B models, as LoRAs and as whole models
  /// (https://github.com/ModelTC/LightX2V, configurations of the 4-step models): timesteps 1000, 937.5, 833.33, 625.
  public static let lightx2v = Recipe(
    name: "lightx2v", steps: 4, mostSteps: 8, shift: 5, guidance: 1, solver: .euler)

  /// Every recipe, by name.
  public static let all = [lightx2v]

  /// The recipe of a model whose files have such names, and the file that tells it.
  static func told(by paths: [String]) -> (recipe: Recipe, path: String)? {
    for path in paths {
      // The model's or the LoRA's own name, or that of the folder that a pair of files lies in.
      let names = [Paths.name(of: path), Paths.name(of: Paths.folder(of: path))].map { $0.lowercased() }
      let marks = ["lightx2v", "lightning", "4step", "4-step", "4_step"]
      if names.contains(where: { name in marks.contains(where: name.contains) }) { return (lightx2v, path) }
    }
    return nil
  }

  /// These defaults with the recipe's over them.
  func applied(to defaults: GenerationDefaults) -> GenerationDefaults {
    var defaults = defaults
    (defaults.steps, defaults.shift, defaults.solver) = (steps, shift, solver)
    defaults.guidance = GuidanceScales(guidance)
    return defaults
  }
}

/// The recipe that a plan goes by, and why.
public struct ChosenRecipe: Sendable, Hashable, Codable {
  /// The recipe.
  public let recipe: Recipe
  /// The file whose name told it; `nil` where the request names it.
  public let toldBy: String?

  /// The recipe that a request asks for, or that names tell.
  ///
  /// - Throws: ``RequestError`` for a name that is none.
  init?(_ request: GenerationRequest, model: ModelFolder) throws(RequestError) {
    if let name = request.preset {
      if name == Self.none { return nil }
      guard let recipe = Recipe.all.first(where: { $0.name == name }) else {
        let known = (Recipe.all.map(\.name) + [Self.none]).joined(separator: ", ")
        throw .field(.preset, "there is no '\(name.prefix(40))'; known are \(known)")
      }
      (self.recipe, toldBy) = (recipe, nil)
      return
    }
    // What such LoRAs and models are made from has two experts.
    let files = model.transformers.all.map(\.part.source.location) + model.foundParts.map(\.path) + [model.path]
    guard model.family.hasTwoExperts,
      let told = Recipe.told(by: request.adapters.filter { $0.strength != 0 }.map(\.path) + files)
    else { return nil }
    (recipe, toldBy) = (told.recipe, told.path)
  }

  /// The name that asks for no recipe, whatever the files' names say.
  public static let none = "none"

  /// What is wrong with choices that a distilled model cannot use.
  func warnings(steps: Int, guidance: GuidanceScales) -> [String] {
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
    return warnings
  }
}
