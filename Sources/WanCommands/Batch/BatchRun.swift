import ArgumentParser
import Files
import Foundation
import Media
import Tensors
import WanKit

/// Many clips, one after the other, by one engine that keeps what of the model there is memory for.
struct BatchRun {
  let planner: BatchPlanner
  let backend: any Backend
  let engine: Engine
  let folder: BatchFolder
  let ffmpeg: FFmpeg?
  let located: (path: String?, parts: PartPaths)

  /// Clips whose prompts are encoded together: embeddings of a published model's prompts take 1 to 8 MiB each.
  private static let encodedTogether = 256

  private var report: ReportOptions { planner.command.output.report }

  /// - Throws: ``FailedClips`` at the end; ``StoppedBatch``.
  func carryOut(_ clips: [BatchClip]) async throws {
    let started = ContinuousClock.now
    var manifest = planner.manifest
    for clip in clips {
      if clip.isFinished {
        manifest.clips[clip.name]?.isFinished = true
      } else {
        manifest.clips[clip.name] = clip.record
      }
    }
    try manifest.write(in: folder.path)
    let reporter = report.reporter
    let left = clips.filter { !$0.isFinished }
    reporter.show(BatchReport(clips: clips.count, finished: clips.count - left.count, folder: folder.path))
    for clip in clips where clip.isFinished { reporter.show(SkippedClip(clip, of: clips.count)) }
    var (failures, made, prompts) = ([FailedClip](), 0, EncodedPrompts())
    for (position, clip) in left.enumerated() {
      do {
        if position.isMultiple(of: Self.encodedTogether) {
          let group = left[position...].prefix(Self.encodedTogether)
          prompts = try await encode(group.map(\.prompts), reporter)
        }
        try await make(clip, of: clips.count, prompts, isFirst: position == 0)
        made += 1
        manifest.clips[clip.name]?.isFinished = true
        noted(manifest, reporter)
      } catch let error where error is CancellationError || error.isCancelledMedia {
        throw StoppedBatch(finished: clips.count - left.count + made, count: clips.count, folder: folder.path)
      } catch {
        let failure = FailedClip(clip, of: clips.count, error: "\(error.told(clip.entry))")
        failures.append(failure)
        reporter.show(failure)
      }
    }
    reporter.show(
      BatchEnd(
        made: made, skipped: clips.count - left.count, failed: failures.count,
        seconds: (ContinuousClock.now - started).inSeconds))
    guard failures.isEmpty else { throw FailedClips(failures) }
  }

  /// Prompts that cannot be encoded together are encoded with their clips, where a failure is a clip's own.
  private func encode(_ prompts: [PlannedPrompts], _ reporter: ProgressReporter) async throws -> EncodedPrompts {
    defer { reporter.clear() }
    do { return try await engine.encode(prompts, onEvent: reporter.show) } catch {
      try Task.checkCancellation()
      reporter.show(.notice("the prompts are encoded one by one: \(error)"))
      return EncodedPrompts()
    }
  }

  private func make(_ clip: BatchClip, of count: Int, _ prompts: EncodedPrompts, isFirst: Bool) async throws {
    let work = try await work(of: clip)
    var plan = work.plan
    plan.encodedPrompts = prompts
    let hasMetadata = !planner.command.output.noMetadata
    let record = RunRecord(
      plan, of: work.request, model: located,
      output: .init(path: clip.target.name, isChosen: false, hasMetadata: hasMetadata),
      folder: FileManager.default.currentDirectoryPath, fingerprint: clip.fingerprint)
    let run = ClipRun(
      plan: plan, backend: backend, engine: engine,
      places: OutputPlaces(clip: clip.target, reservation: nil, tensors: nil), ffmpeg: ffmpeg, record: record,
      saved: nil, keeping: planner.command.saving.keeping, preview: planner.preview)
    let place = ClipPosition(number: clip.number, count: count, name: clip.target.name, isFirst: isFirst)
    let reporter = report.reporter(of: place)
    // A clip that fails leaves its bar.
    defer { reporter.clear() }
    try await run.carryOut(from: nil, reporter)
  }

  /// What was checked, or where pictures were not kept for so long, the same once more.
  private func work(of clip: BatchClip) async throws -> BatchClip.Work {
    if let work = clip.work { return work }
    let work = try await planner.work(clip.entry, seed: clip.seed)
    let now = RunFingerprint(work.plan, on: backend.traits, version: SoftwareVersion.current)
    let differences = now.differences(from: clip.fingerprint)
    guard differences.isEmpty else {
      throw CommandError("its files have changed since the start:\n  " + differences.joined(separator: "\n  "))
    }
    return work
  }

  /// What cannot be noted costs a second start its time.
  private func noted(_ manifest: BatchManifest, _ reporter: ProgressReporter) {
    do { try manifest.write(in: folder.path) } catch {
      reporter.show(.notice("\(BatchManifest.name) does not tell that this clip is finished: \(error)"))
    }
  }
}

extension BatchClip {
  fileprivate var record: BatchManifest.Clip {
    BatchManifest.Clip(seed: seed, isDrawn: isDrawn, fingerprint: fingerprint, isFinished: false)
  }
}

extension Error {
  /// As a user of the command, or of a line's fields, knows it.
  fileprivate func told(_ entry: BatchEntry) -> any Error {
    if let error = self as? RequestError {
      if case .line = entry.content { return error }
      return CommandError(error.inOptions)
    }
    return advised
  }
}

/// Clips that failed while others were made.
struct FailedClips: Error, CustomStringConvertible {
  private let clips: [FailedClip]

  init(_ clips: [FailedClip]) { self.clips = clips }

  var description: String {
    "\(Format.count(clips.count, "clip")) failed:\n"
      + clips.map { "  \($0.place), \($0.output): \($0.error)" }.joined(separator: "\n")
      + "\nthe same command makes what is missing"
  }
}

/// Many clips that Ctrl-C ended.
struct StoppedBatch: Error, CustomStringConvertible {
  let finished, count: Int
  let folder: String

  var description: String {
    "stopped; \(finished) of \(Format.count(count, "clip")) are in '\(folder)', and the same command makes the rest"
  }
}
