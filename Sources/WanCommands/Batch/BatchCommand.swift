import ArgumentParser
import Files
import Foundation
import Media
import Tensors
import WanKit

extension GenerateCommand {
  /// Makes a clip for each line or picture of a source.
  func make(_ source: BatchSource) async throws {
    try checkBatch(source)
    do {
      try await ClipRun.guarded { try await makeAll(source) }
    } catch let problems as BatchProblems {
      Console.note("\(problems)\nno clip was begun")
      throw ExitCode(EX_USAGE)
    }
  }

  private func makeAll(_ source: BatchSource) async throws {
    let places = try BatchOutput(output.output)
    let entries = try source.entries(hasPrompt: clip.prompt != nil)
    let previewTarget = try preview.target(output.report)
    let backend = try engine.makeBackend()
    let located = try self.source.located()
    let model = try ModelOptions.open(located.path, located.parts).keepingTokenizer()
    let shared = try await sharedRequest(source, for: model)
    let previews = try PreviewRun(preview, previewTarget, of: model)
    let folder = try BatchFolder(places.folder)
    defer { folder.leave() }
    let planner = BatchPlanner(
      command: self, shared: shared, model: model, traits: backend.traits, output: places,
      manifest: try BatchManifest(folder: places.folder), preview: previews, count: entries.count)
    let clips = try await planner.clips(entries)
    try probe(clips)
    let ffmpeg: FFmpeg? = clips.contains { $0.target.needsFFmpeg } ? try .fromEnvironment() : nil
    if ffmpeg != nil { try ProcessLimits.encoder.check() }
    let engine = Engine(
      backend: backend, budget: budget(for: clips), promptCache: clip.promptCache.map(PromptCache.init),
      int8Cache: quantized.cache)
    let run = BatchRun(
      planner: planner, backend: backend, engine: engine, folder: folder, ffmpeg: ffmpeg, located: located)
    try await run.carryOut(clips)
  }

  /// Tries each kind of clip once in the folder.
  private func probe(_ clips: [BatchClip]) throws {
    var tried: Set<ClipFormat> = []
    for clip in clips where tried.insert(clip.target.format).inserted { try clip.target.probe() }
  }

  /// What networks may take that stay from one clip to the next: what is left of the memory beside the largest run.
  private func budget(for clips: [BatchClip]) -> Int {
    guard !output.report.force, !clips.contains(where: \.memory.streams) else { return 0 }
    return max(0, memory.limit(isForced: false).byteCount - (clips.map(\.memory.peak).max() ?? 0))
  }
}
