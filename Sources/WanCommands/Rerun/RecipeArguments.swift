import Media
import Prompts
import Sampling
import Tensors
import WanKit

/// A clip's recipe as options of `wan generate`.
struct RecipeArguments {
  let clip: ClipDescription
  /// What the user gives beside them.
  let given: GivenOptions

  /// Some of the recipe, and the options with which a user says it otherwise.
  private struct Part {
    let arguments: [String]
    let replacedBy: Set<String>

    init(_ name: String, _ value: String, replacedBy others: Set<String> = []) {
      (arguments, replacedBy) = (["--\(name)=\(value)"], others.union([name]))
    }

    init(_ arguments: [String], replacedBy: Set<String>) { (self.arguments, self.replacedBy) = (arguments, replacedBy) }
  }

  /// Without what the user says otherwise.
  var list: [String] {
    (words + shape + schedule + noise + engine).filter { !given.contains(anyOf: $0.replacedBy) }.flatMap(\.arguments)
  }

  private var words: [Part] {
    let negative =
      clip.negativePrompt == PublishedPrompts.none
      ? ["--no-negative-prompt"] : ["--negative-prompt=\(clip.negativePrompt)"]
    return [
      Part("prompt", clip.userPrompt ?? clip.prompt),
      Part(negative, replacedBy: ["negative-prompt", "no-negative-prompt"]),
    ] + look
  }

  /// The words that were chosen to be put to the prompt.
  private var look: [Part] {
    guard let look = clip.cinematography else { return [] }
    return look.choices.map { Part($0.kind.rawValue, $0.word) }
      + (look.language.map { [Part("prompt-language", $0.rawValue)] } ?? [])
  }

  private var shape: [Part] {
    [
      Part("size", clip.size.description), Part("frames", "\(clip.frames)"),
      Part("fps", FrameRate(exactly: clip.fps).description),
    ] + (clip.knownFrames.map { [Part("overlap", "\($0)")] } ?? [])
  }

  /// A preset stands for steps, shift, solver and guidance together.
  private var schedule: [Part] {
    let (low, high) = (clip.guidanceLow, clip.guidanceHigh)
    let guided = clip.guidedSteps.map { "\($0.lowerBound)-\($0.upperBound)" }
    return steps
      + [
        Part("guidance", low == high ? "\(low)" : "\(low),\(high)", replacedBy: ["preset"]),
        Part("solver", clip.solver.rawValue, replacedBy: ["preset"]),
        guided.map { Part("guidance-until", $0, replacedBy: ["guidance", "steps", "timesteps", "sigmas", "preset"]) },
        clip.boundary.map { Part("boundary", "\($0)", replacedBy: ["steps", "preset"]) },
        clip.strength.map { Part("strength", "\($0)") },
        clip.cache.map { Part("cache", $0.name) },
      ].compactMap { $0 }
  }

  /// The steps by their number, by the list that the clip's recipe has, or by a list of their own.
  private var steps: [Part] {
    let count = clip.switchStep.map { "\($0)+\(clip.steps - $0)" } ?? "\(clip.steps)"
    let number = Part("steps", count, replacedBy: ["timesteps", "sigmas", "preset"])
    // A shift that is given warps a list, so that the clip's goes with the clip's list alone.
    let shift = Part("shift", "\(clip.shift)", replacedBy: ["timesteps", "sigmas", "preset"])
    if let sigmas = clip.sigmas {
      let values = sigmas.map { "\($0)" }.joined(separator: ",")
      return [Part("sigmas", values, replacedBy: ["steps", "timesteps", "preset"])]
    }
    guard let timesteps = clip.timesteps else { return [number, shift] }
    let listed = Part(shift.arguments, replacedBy: shift.replacedBy.union(["steps"]))
    if let recipe = clip.recipe?.recipe {
      if recipe.timesteps(steps: clip.steps, shift: nil) == timesteps { return [number] }
      if recipe.timesteps(steps: clip.steps, shift: clip.shift) == timesteps { return [number, listed] }
    }
    let values = Self.unwarped(timesteps, shift: clip.shift).map { "\($0)" }.joined(separator: ",")
    return [number, Part("timesteps", values, replacedBy: ["steps", "sigmas", "preset"])]
      + (clip.shift == 1 ? [] : [listed])
  }

  private var noise: [Part] {
    let words = clip.noise.split(separator: " ")
    var parts = [Part("seed", "\(clip.seed)"), Part("rng", words.first.map(String.init) ?? "")]
    if words.count == 2 { parts.append(Part("rng-card", String(words[1]), replacedBy: ["rng"])) }
    return parts
  }

  private var engine: [Part] {
    var parts = [Part("precision", clip.precision.rawValue)]
    if let like = clip.like { parts.append(Part("like", like.rawValue)) }
    if clip.recipe == nil {
      parts.append(Part("preset", ChosenRecipe.none, replacedBy: ["lora"]))
    } else if let recipe = clip.recipe, recipe.toldBy == nil {
      parts.append(Part("preset", recipe.recipe.name))
    }
    if clip.decoder == .tiny { parts.append(Part("vae", "tiny")) }
    let adapters = (clip.adapters ?? []).map { "--lora=" + Self.text(of: $0) }
    return parts + [Part(adapters, replacedBy: ["lora"])]
  }

  /// A LoRA as `--lora` takes it.
  static func text(of adapter: AdapterRequest) -> String {
    "\(adapter.path)=\(adapter.strength)" + (adapter.expert.map { ":\($0.rawValue)" } ?? "")
  }

  /// The timesteps that a shift warps to these.
  static func unwarped(_ timesteps: [Float], shift: Double) -> [Float] {
    guard shift != 1 else { return timesteps }
    return timesteps.map { timestep in
      let level = Double(timestep) / 1000
      let value = level / (shift - (shift - 1) * level) * 1000
      let near = Float(value)
      // People give whole numbers; of others the nearest one that is warped to the very same.
      let candidates = [Float(value.rounded()), near, near.nextUp, near.nextDown]
      return candidates.first { (try? Schedule(timesteps: [$0], shift: shift))?.timesteps == [timestep] } ?? near
    }
  }
}

/// The options that stand in a list of arguments, by their long names.
struct GivenOptions {
  private let names: Set<String>

  private static let short = ["p": "prompt", "i": "image", "m": "model", "o": "output", "q": "quiet"]

  init(_ arguments: [String]) {
    names = Set(
      arguments.compactMap { argument in
        guard argument.hasPrefix("-") else { return nil }
        let name = String(argument.drop { $0 == "-" }.prefix { $0 != "=" })
        return argument.hasPrefix("--") ? name : Self.short[String(name.prefix(1))]
      })
  }

  func contains(anyOf others: Set<String>) -> Bool { !names.isDisjoint(with: others) }
}

extension Recipe {
  /// The list of steps that this recipe runs a clip at; `nil` where it has none.
  fileprivate func timesteps(steps: Int, shift: Double?) -> [Float]? {
    switch grid {
    case .timesteps(let list, let trained) where steps <= list.count:
      let own = Array(list.prefix(steps))
      let schedule = shift.map { try? Schedule(timesteps: own, shift: $0) }
      return (schedule ?? (try? Schedule(timesteps: own, nearestOfShift: trained)))?.timesteps
    case .angles(let sigmaMax, let angles) where steps <= angles.count + 1:
      return (try? Schedule(sigmaMax: sigmaMax, angles: Array(angles.prefix(steps - 1))))?.timesteps
    default: return nil
    }
  }
}

extension FrameRate {
  /// The fraction with the smallest numbers that is exactly this value as a `Double`, as any of a clip's rates is.
  init(exactly value: Double) {
    var (rest, p, q) = (value, (0, 1), (1, 0))
    for _ in 0..<24 where rest.isFinite && rest.rounded(.down) < 1e9 {
      let whole = Int(rest.rounded(.down))
      p = (p.1, whole &* p.1 &+ p.0)
      q = (q.1, whole &* q.1 &+ q.0)
      if q.1 > 0, Double(p.1) / Double(q.1) == value { break }
      guard q.1 < 1_000_000 else { break }
      rest = 1 / (rest - rest.rounded(.down))
    }
    guard q.1 > 0, Double(p.1) / Double(q.1) == value else {
      self.init(value)
      return
    }
    self.init(p.1, over: q.1)
  }
}
