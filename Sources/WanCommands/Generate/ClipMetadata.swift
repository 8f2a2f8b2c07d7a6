import Foundation
import Media
import Sampling
import Tensors
import WanKit

/// What a clip says of its own making, as JSON in its comment.
struct ClipMetadata: Encodable {
  let software = "swift-wan \(SoftwareVersion.current)"
  let model, prompt, negativePrompt, size, solver, noise, precision: String
  let frames, steps: Int
  let fps: Double
  let seed: UInt64
  let shift: Double
  let guidanceLow, guidanceHigh: Float
  let fromImage: Bool

  init(_ plan: GenerationPlan) {
    model = plan.model.family.name
    (prompt, negativePrompt) = (plan.prompt, plan.negativePrompt)
    size = "\(plan.width)x\(plan.height)"
    (solver, precision, shift, seed) = (plan.solver.rawValue, plan.precision.rawValue, plan.shift, plan.seed)
    (frames, fps, steps) = (plan.frames, plan.framesPerSecond.value, plan.steps)
    (guidanceLow, guidanceHigh) = (plan.guidance.low, plan.guidance.high)
    fromImage = plan.image != nil
    switch plan.noise {
    case .cpu: noise = "cpu"
    case .cuda(let multiprocessors, let threads): noise = "cuda \(multiprocessors)x\(threads)"
    }
  }

  var json: String? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) }
  }
}
