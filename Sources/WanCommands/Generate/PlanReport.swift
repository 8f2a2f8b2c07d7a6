import Foundation
import Media
import Sampling
import Tensors
import WanKit
import WanModels

/// What is about to run, as printed and as the first JSON event.
struct PlanReport: Encodable {
  let event = "plan"
  let model, folder, size, solver, precision, noise, backend, output: String
  let frames, tokens, steps: Int
  let fps: Double
  let seed: UInt64
  let shift: Double
  let guidanceLow, guidanceHigh: Float
  let experts: [ExpertSteps]
  let memoryBytes, weightBytes, decodingMemoryBytes: Int
  /// Rows x columns that frames are decoded in.
  let decodingTiles: String
  /// What the machine has, or the process's control group allows.
  let machineMemoryBytes: Int

  /// How many steps an expert runs in a row, and the timestep of the first.
  struct ExpertSteps: Encodable {
    let expert: String
    let steps: Int
    let firstTimestep: Float
  }

  /// Pictures of an older set that the clip takes away, told to people alone.
  private let replaced: Int

  private enum CodingKeys: String, CodingKey {
    case event, model, folder, size, solver, precision, noise, backend, output, frames, fps, tokens, steps, seed, shift
    case guidanceLow, guidanceHigh, experts, memoryBytes, weightBytes, decodingMemoryBytes, decodingTiles
    case machineMemoryBytes
  }

  init(_ plan: GenerationPlan, backend: String, clip: ClipTarget, machine: MachineMemory = MachineMemory()) {
    machineMemoryBytes = machine.resident.byteCount
    model = plan.model.family.name
    folder = plan.model.path
    size = "\(plan.width)x\(plan.height)"
    (frames, fps, tokens, steps) = (plan.frames, plan.framesPerSecond.value, plan.tokens, plan.steps)
    (solver, precision, shift, seed) = (plan.solver.rawValue, plan.precision.rawValue, plan.shift, plan.seed)
    (guidanceLow, guidanceHigh) = (plan.guidance.low, plan.guidance.high)
    noise = plan.noise == .cpu ? "cpu" : "cuda"
    self.backend = backend
    output = clip.name == "-" ? "standard output" : clip.name
    replaced = clip.removedPaths(frameCount: plan.frames).count
    var next = 0
    experts = plan.stepsPerExpert.map { expert, steps in
      defer { next += steps }
      return ExpertSteps(expert: expert.rawValue, steps: steps, firstTimestep: plan.schedule.timesteps[next])
    }
    (memoryBytes, weightBytes) = (plan.memory.total, plan.memory.weights)
    (decodingMemoryBytes, decodingTiles) = (plan.decodingMemory.total, plan.decodingTiling.description)
  }

  /// The plan in lines for people.
  var lines: [String] {
    let guidance = guidanceLow == guidanceHigh ? "\(guidanceLow)" : "\(guidanceLow) low, \(guidanceHigh) high"
    var lines = [
      "model    \(model) (\(folder))",
      "clip     \(size), \(Format.count(frames, "frame")) at \(Format.rate(fps)) fps "
        + "(\(Format.fixed(Double(frames) / fps, 1)) s), \(Format.count(tokens, "token"))",
      "sampling \(Format.count(steps, "step")) \(solver), shift \(shift), guidance \(guidance), seed \(seed) (\(noise) noise)",
    ]
    if experts.count > 1 || experts.first?.expert != Expert.only.rawValue {
      let parts = experts.map { "\($0.expert) noise \(Format.count($0.steps, "step")) from t \($0.firstTimestep)" }
      lines.append("experts  " + parts.joined(separator: ", then "))
    }
    lines.append("memory   about \(Format.gibibytes(memoryBytes)), \(Format.gibibytes(weightBytes)) of it weights")
    if decodingTiles != VAETiling.whole.description {
      lines.append("decoding in \(decodingTiles) tiles, about \(Format.gibibytes(decodingMemoryBytes))")
    }
    lines.append("engine   \(backend), \(precision)")
    let removed = replaced == 0 ? "" : ", and the older set's last \(Format.count(replaced, "picture")) go"
    lines.append("output   \(output)\(removed)")
    return lines
  }
}

/// How a run ended.
struct EndReport: Encodable {
  let event = "done"
  let output: String
  let seconds: Double
  let peakMemory: Int

  var line: String {
    "wrote \(output) in \(Format.duration(seconds)), peak memory \(Format.gibibytes(peakMemory))"
  }
}
