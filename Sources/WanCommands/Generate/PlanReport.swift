import Foundation
import Media
import Sampling
import Tensors
import WanKit
import WanModels

/// What is about to run, as printed and as the first JSON event: the plan's summary, and what surrounds it.
struct PlanReport: Encodable {
  private let summary: PlanSummary
  private let folder, backend, output: String
  /// Files that do not lie where a layout has them.
  private let parts: [ModelFolder.FoundPart]
  /// What the machine has, or the process's control group allows.
  private let machineMemoryBytes: Int
  /// Pictures of an older set that the clip takes away, told to people alone.
  private let replaced: Int
  /// Where the run is saved while it goes.
  var savedRun: String?
  /// What is shown of the run while it goes.
  var preview: PreviewSummary?
  /// Steps that were taken before, where a saved run goes on.
  var stepsDone: Int?

  init(
    _ plan: GenerationPlan, on backend: any Backend, clip: ClipTarget, machine: MachineMemory = MachineMemory()
  ) {
    summary = PlanSummary(plan, on: backend.traits)
    machineMemoryBytes = machine.resident.byteCount
    (folder, self.backend) = (plan.model.path, backend.name)
    parts = plan.model.foundParts
    output = clip.name == "-" ? "standard output" : clip.name
    replaced = clip.removedPaths(frameCount: plan.newFrames).count
  }

  private enum CodingKeys: String, CodingKey {
    case event, folder, parts, backend, output, machineMemoryBytes, savedRun, stepsDone, preview
  }

  func encode(to encoder: any Encoder) throws {
    try summary.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode("plan", forKey: .event)
    try fields.encode(folder, forKey: .folder)
    if !parts.isEmpty { try fields.encode(parts, forKey: .parts) }
    try fields.encode(backend, forKey: .backend)
    try fields.encode(output, forKey: .output)
    try fields.encode(machineMemoryBytes, forKey: .machineMemoryBytes)
    try fields.encodeIfPresent(savedRun, forKey: .savedRun)
    try fields.encodeIfPresent(stepsDone, forKey: .stepsDone)
    try fields.encodeIfPresent(preview, forKey: .preview)
  }

  /// The plan in lines for people.
  var lines: [String] {
    let clip = summary.clip
    var lines = ["model    \(clip.model) (\(folder))"]
    lines += parts.map { "         \($0.part) \($0.path)\($0.isNamed ? "" : ", found by what it holds")" }
    if clip.userPrompt != nil { lines += clip.promptLines }
    lines += clip.lines(
      tokens: summary.tokens,
      skips: summary.expectedSkips.flatMap { steps in summary.cacheBytes.map { (steps, $0) } })
    if summary.experts.count > 1 || summary.experts.first?.expert != .only {
      let parts = summary.experts.map {
        "\($0.expert.rawValue) noise \(Format.count($0.steps, "step")) from t \($0.firstTimestep)"
      }
      lines.append("experts  " + parts.joined(separator: ", then "))
    }
    lines += memoryLines
    if clip.decoder == .tiny {
      lines.append("decoding by a tiny autoencoder, about \(Format.gibibytes(summary.decodingMemoryBytes))")
    } else if summary.decodingTiles != VAETiling.whole.description {
      lines.append(
        "decoding in \(summary.decodingTiles) tiles, about \(Format.gibibytes(summary.decodingMemoryBytes))")
    }
    lines.append("engine   \(backend), \(clip.precision.rawValue)")
    let removed = replaced == 0 ? "" : ", and the older set's last \(Format.count(replaced, "picture")) go"
    lines.append("output   \(output)\(removed)")
    if let savedRun { lines.append("saving   \(savedRun), for 'wan resume'") }
    if let preview { lines.append(preview.line) }
    if let stepsDone { lines.append("resuming after step \(stepsDone) of \(clip.steps)") }
    return lines
  }
}

extension PlanReport {
  /// The plan of the first of many clips.
  var firstLines: [String] { (summary.clip.userPrompt == nil ? summary.clip.promptLines : []) + lines }

  /// What tells one of many clips from the others.
  var briefLines: [String] { summary.clip.promptLines + summary.clip.lines(tokens: summary.tokens) }

  /// What the run takes, and what of the networks comes and goes.
  private var memoryLines: [String] {
    let total = Format.gibibytes(summary.memoryBytes)
    let streams = [("text encoder", summary.textEncoderStreaming), ("transformer", summary.transformerStreaming)]
      .compactMap { name, streaming in streaming.map { (name, $0) } }
    if streams.isEmpty { return ["memory   about \(total), \(Format.gibibytes(summary.weightBytes)) of it weights"] }
    let limit = summary.memoryLimitBytes.map { " of \(Format.gibibytes($0))" } ?? ""
    return ["memory   about \(total)\(limit)"]
      + streams.map { name, streaming in
        let blocks = "\(name): \(Format.count(streaming.blocks, "block")), \(Format.gibibytes(streaming.residentBytes))"
        guard name == "transformer" else { return "         \(blocks) of them in memory at a time" }
        guard streaming.bytesPerPass > 0 else { return "         \(blocks), each expert's in place of the other's" }
        return "         \(blocks) in memory: \(streaming.kept) stay, "
          + "\(Format.gibibytes(streaming.bytesPerPass)) are read in each step"
      }
  }
}

/// How a run ended.
struct EndReport: Encodable {
  let event = "done"
  let output: String
  let seconds: Double
  let peakMemory: Int
  /// What of each expert was skipped; `nil` where every step ran it.
  var skips: [StepSkips]?

  var lines: [String] {
    let skipped = skips.map { skips in
      let parts = skips.map { skips in
        let expert = skips.expert == .only ? "" : "\(skips.expert.rawValue) noise "
        return "\(expert)\(skips.skipped) of \(Format.count(skips.steps, "step"))"
      }
      return "skipped " + parts.joined(separator: ", ")
    }
    return (skipped.map { [$0] } ?? [])
      + ["wrote \(output) in \(Format.duration(seconds)), peak memory \(Format.gibibytes(peakMemory))"]
  }
}

/// What a clip says of its own making, as JSON in its comment.
struct ClipMetadata: Encodable {
  private let clip: ClipDescription

  init(_ plan: GenerationPlan) { clip = ClipDescription(plan) }

  private enum CodingKeys: String, CodingKey { case software }

  func encode(to encoder: any Encoder) throws {
    try clip.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode("swift-wan \(SoftwareVersion.current)", forKey: .software)
  }

  var json: String? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) }
  }
}
