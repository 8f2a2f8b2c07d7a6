import Files
import Foundation
import Media
import Tensors
import WanKit

/// One clip of many whose plan has been made and checked.
struct BatchClip: Sendable {
  let entry: BatchEntry
  /// Counted from 1, in the order of the lines.
  let number: Int
  let target: ClipTarget
  let seed: UInt64
  /// Whether nobody chose it.
  let isDrawn: Bool
  /// What it depends on.
  let fingerprint: RunFingerprint
  /// What its text encoder reads.
  let prompts: PlannedPrompts
  /// Bytes that its run takes at its peak, and whether weights are read again and again.
  let memory: (peak: Int, streams: Bool)
  /// Kept where its request takes nothing but memory that all share.
  let work: Work?
  /// Whether it was finished at an earlier start.
  var isFinished = false

  /// What is carried out.
  struct Work: Sendable {
    let request: GenerationRequest
    let plan: GenerationPlan
  }

  /// The name of its file.
  var name: String { Paths.name(of: target.name) }
}

/// Makes plans of many requests, and looks at everything that could keep their clips from being made.
struct BatchPlanner {
  let command: GenerateCommand
  /// What each request begins with.
  let shared: GenerationRequest
  let model: ModelFolder
  let traits: BackendTraits
  let output: BatchOutput
  let manifest: BatchManifest
  let preview: PreviewRun?
  let count: Int

  private var limit: MachineMemory.Limit { command.memory.limit(isForced: command.output.report.force) }

  /// - Throws: ``BatchProblems``, with all that is wrong; `CancellationError`.
  func clips(_ entries: [BatchEntry]) async throws -> [BatchClip] {
    var (clips, problems, taken) = ([BatchClip](), BatchProblems(), [String: String]())
    for (index, entry) in entries.enumerated() {
      do {
        let (clip, paths) = try await self.clip(entry, index)
        for path in paths {
          if let other = taken.updateValue(entry.place, forKey: path.lowercased()) {
            throw CommandError("'\(path)' is the clip of \(other) too; give one of them another \"output\"")
          }
        }
        clips.append(clip)
      } catch {
        try Task.checkCancellation()
        problems.add((error as? RequestError).map { text($0, entry) } ?? "\(error)", at: entry.place)
      }
    }
    guard problems.isEmpty else { throw problems }
    return clips
  }

  /// A line of JSON knows fields, all others options.
  private func text(_ error: RequestError, _ entry: BatchEntry) -> String {
    if case .line = entry.content { return error.description }
    return error.inOptions
  }

  /// - Returns: the clip, and the paths of its files.
  private func clip(_ entry: BatchEntry, _ index: Int) async throws -> (BatchClip, paths: [String]) {
    let path = try output.path(entry.name, index: index, of: count)
    let target = try ClipTarget(path: path)
    let (seed, isDrawn) = seed(entry, index, Paths.name(of: path))
    let work = try await work(entry, seed: seed)
    let plan = work.plan
    let inputs = command.clips.files + command.clip.pictures + entry.files + plan.model.checkpointFiles
    let places = OutputPlaces(clip: target, reservation: nil, tensors: nil)
    try places.check(plan, inputs: inputs)
    try preview?.check(places, plan, inputs: inputs)
    if !command.output.report.force { try plan.checkMemory(on: traits) }
    let memory = try plan.memoryPlan(on: traits)
    var clip = BatchClip(
      entry: entry, number: index + 1, target: target, seed: plan.seed, isDrawn: isDrawn,
      fingerprint: RunFingerprint(plan, on: traits, version: SoftwareVersion.current), prompts: plan.prompts,
      memory: (memory.peakBytes, memory.transformer != nil || memory.textEncoder != nil),
      work: entry.holdsPictures ? nil : work)
    let paths = target.paths(frameCount: plan.newFrames)
    clip.isFinished = try await isFinished(clip, paths, plan)
    return (clip, paths)
  }

  /// The request of a clip and its plan, files read.
  func work(_ entry: BatchEntry, seed: UInt64) async throws -> BatchClip.Work {
    var request = shared
    request.seed = seed
    switch entry.content {
    case .prompt(let text): request.prompt = text
    case .picture(let path): request.image = try await readImage(path: path, ffmpeg: .fromEnvironment())
    case .line(let line): try await line.change(&request, command.clips, for: model)
    }
    return BatchClip.Work(request: request, plan: try GenerationPlan(request, model: model, on: traits, memory: limit))
  }

  /// The seed of a line stands above it.
  private func seed(_ entry: BatchEntry, _ index: Int, _ name: String) -> (UInt64, isDrawn: Bool) {
    if case .line(let line) = entry.content, line.hasSeed { return (0, false) }
    if let seed = command.clip.seed?.value { return (seed &+ UInt64(index), false) }
    if let before = manifest.clips[name], before.isDrawn { return (before.seed, true) }
    return (UInt64.random(in: 0..<1 << 32), true)
  }

  /// Whether a clip was made before, by the same recipe.
  ///
  /// - Throws: `CommandError` where something else has its name.
  private func isFinished(_ clip: BatchClip, _ paths: [String], _ plan: GenerationPlan) async throws -> Bool {
    guard let there = paths.first(where: { FileStatus(path: $0) != nil }) else { return false }
    guard let before = manifest.clips[clip.name] else {
      throw CommandError("'\(there)' is there, and not of these clips; remove it, or name another folder with --output")
    }
    let differences = clip.fingerprint.recipeDifferences(from: before.fingerprint)
    guard differences.isEmpty else {
      throw CommandError(
        "'\(there)' is there, and was asked for otherwise; remove it, or name another folder with --output:\n  "
          + differences.joined(separator: "\n  "))
    }
    let isWhole = paths.allSatisfy { FileStatus(path: $0) != nil }
    if before.isFinished { return isWhole }
    // A start that was ended before it could note the clip.
    guard isWhole, clip.target.format != .y4m, let recipe = ClipMetadata(plan).json else { return false }
    return (try? await readComment(path: there, ffmpeg: .fromEnvironment())) == recipe
  }
}
