import Prompts
import Sampling
import WanKit

extension ClipDescription {
  /// The choices in lines for people, from LoRAs to timesteps: what a plan and a finished clip tell alike.
  ///
  /// - Parameter tokens: of a pass, where a plan has counted them.
  func lines(tokens: Int? = nil) -> [String] {
    var lines = (adapters ?? []).map { adapter in
      let expert = adapter.expert.map { ", \($0.rawValue) noise" } ?? ""
      return "lora     \(adapter.path), strength \(adapter.strength)\(expert)"
    }
    if let like { lines.append("like     \(like.rawValue)") }
    if let recipe {
      lines.append(
        "recipe   \(recipe.recipe.name), for a model distilled to \(recipe.recipe.steps) steps"
          + (recipe.toldBy.map { ", told by \($0)" } ?? ""))
    }
    lines += [
      "clip     \(size), \(Format.count(frames, "frame")) at \(Format.rate(fps)) fps "
        + "(\(Format.fixed(Double(frames) / fps, 1)) s)" + (tokens.map { ", \(Format.count($0, "token"))" } ?? ""),
      "sampling \(Format.count(steps, "step")) \(solver.rawValue), shift \(shift), guidance \(guidance), "
        + "seed \(seed) (\(noise.split(separator: " ").first ?? "") noise)",
    ]
    if let timesteps {
      lines.append("         at timesteps " + timesteps.map { Format.fixed(Double($0), 1) }.joined(separator: ", "))
    }
    return lines
  }

  /// What the text encoder reads, and what it was made of.
  var promptLines: [String] {
    ["prompt   \(prompt)"] + (userPrompt.map { ["asked    \($0.isEmpty ? "without words" : $0)"] } ?? [])
      + (extendedPrompt.map { ["extended by \($0.model)"] } ?? [])
      + (cinematography.map { ["words    \($0.line)"] } ?? [])
  }

  private var guidance: String {
    guidanceLow == guidanceHigh ? "\(guidanceLow)" : "\(guidanceLow) low, \(guidanceHigh) high"
  }
}
