import Prompts
import Sampling
import WanKit

extension ClipDescription {
  /// The choices in lines for people, from LoRAs to timesteps: what a plan and a finished clip tell alike.
  ///
  /// - Parameters:
  ///   - tokens: of a pass, where a plan has counted them.
  ///   - skips: the steps that a plan expects to be skipped, and bytes that are kept for that.
  func lines(tokens: Int? = nil, skips: (steps: Int, bytes: Int)? = nil) -> [String] {
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
      "sampling \(Format.count(steps, "step")) \(solver.rawValue), shift \(shift), guidance \(guidance)\(guided), "
        + "seed \(seed) (\(noise.split(separator: " ").first ?? "") noise)",
    ]
    if let strength { lines.append("         of a video, at strength \(strength)") }
    if let boundary { lines.append("         experts change at sigma \(boundary)") }
    if let sigmas {
      lines.append("         at sigmas " + sigmas.map { Format.fixed(Double($0), 4) }.joined(separator: ", "))
    } else if let timesteps {
      lines.append("         at timesteps " + timesteps.map { Format.fixed(Double($0), 1) }.joined(separator: ", "))
    }
    if let cache {
      let expected = skips.map { skips in
        ": about \(skips.steps) of \(Format.count(steps, "step")) expected to be skipped, "
          + (skips.bytes < 1 << 20 ? "\(skips.bytes >> 10) KiB kept" : "\(Format.gibibytes(skips.bytes)) kept")
      }
      lines.append("cache    \(cache.name)\(expected ?? "")")
    }
    return lines
  }

  private var guided: String {
    guard let guidedSteps else { return "" }
    return guidedSteps.count == 1
      ? " in step \(guidedSteps.lowerBound)" : " in steps \(guidedSteps.lowerBound) to \(guidedSteps.upperBound)"
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
