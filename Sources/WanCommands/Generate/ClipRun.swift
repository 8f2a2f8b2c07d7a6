import ArgumentParser
import CPUBackend
import Files
import Foundation
import Media
import Sampling
import Tensors
import WanKit

/// A clip that is made from its first step, or from where a saved run stands: what `generate` and `resume` share.
struct ClipRun {
  let plan: GenerationPlan
  let backend: any Backend
  let engine: Engine
  let places: OutputPlaces
  let ffmpeg: FFmpeg?
  let record: RunRecord
  /// Where it is saved while it goes; nowhere unless that was asked for.
  let saved: SavedRun?
  let keeping: KeepingOptions
  /// What is shown of it while it goes.
  let preview: PreviewRun?
  /// What is to be told behind the plan.
  var notices: [String] = []

  /// Makes the clip. A run that is saved is removed then, unless it is to be kept.
  ///
  /// - Parameter state: where it goes on.
  /// - Throws: ``UnfinishedRun`` and ``StoppedRun`` for what can be gone on with.
  func carryOut(from state: RunState?, _ reporter: ProgressReporter) async throws {
    let started = ContinuousClock.now
    var report = PlanReport(plan, on: backend, clip: places.clip)
    (report.savedRun, report.stepsDone, report.preview) = (saved?.folder, state?.facts.step, preview?.summary)
    reporter.begin(report)
    for notice in notices { reporter.show(.notice(notice)) }
    let target = ClipOutput(
      places.clip, ffmpeg: ffmpeg, metadata: record.output.hasMetadata ? ClipMetadata(plan).json : nil)
    let saver = RunSaver(saved, every: keeping.seconds) { reporter.show(.notice($0)) }
    let previews = preview?.begin(plan, on: backend, reporter)
    let observers: [any StepObserver] = [saver] + (previews.map { [$0.observer] } ?? [])
    let trace: GenerationTrace?
    do {
      trace = try await engine.clip(
        plan, into: target, from: state, keepTrace: places.tensors != nil, observers: observers, onEvent: reporter.show)
    } catch {
      await previews?.cancel()
      throw kept(by: saver, after: error)
    }
    if let trace, let file = places.tensors { try trace.write(to: file.path) }
    if !keeping.keepRun { saved?.remove() }
    await previews?.finish()
    reporter.end(
      EndReport(
        output: places.clip.name, seconds: (ContinuousClock.now - started).inSeconds,
        peakMemory: CPUBackend.peakMemory(), skips: (saver.last ?? state).flatMap(plan.skips)))
  }

  /// The failure to tell, with the folder of the run where it can go on from there. A run that nobody asked to save is
  /// saved beside its clip when it fails, since its steps are lost otherwise; not when it was stopped.
  private func kept(by saver: RunSaver, after error: any Error) -> any Error {
    saver.save()
    let isStopped = error is CancellationError || error.isCancelledMedia
    if let saved {
      return isStopped ? StoppedRun(folder: saved.folder) : UnfinishedRun(reason: error, folder: saved.folder)
    }
    guard !isStopped, !(error is UnfinishedClip), let state = saver.last, places.clip.name != "-",
      let folder = freeFolder(), let run = try? SavedRun.create(folder, record)
    else { return error }
    guard (try? run.write(state)) != nil else {
      run.remove()
      return error
    }
    return UnfinishedRun(reason: error, folder: folder)
  }

  /// A name beside the clip that nothing bears.
  private func freeFolder() -> String? {
    let name = places.clip.name
    let (folder, own) = (Paths.folder(of: name), Paths.parts(of: Paths.name(of: name)).stem)
    let stem = folder == "." ? own : Paths.join(folder, own)
    return (["\(stem).run"] + (2...99).map { "\(stem)-\($0).run" }).first {
      FileStatus(path: $0, followingLinks: false) == nil
    }
  }
}

extension ClipRun {
  /// Runs a body that makes a clip, ends the process where Ctrl-C stopped it, and tells its errors in the command's words.
  static func guarded(_ body: @escaping @Sendable () async throws -> Void) async throws {
    do {
      try await interruptible(body)
    } catch let stopped as StoppedRun {
      stop("\(stopped)")
    } catch let stopped as StoppedBatch {
      stop("\(stopped)")
    } catch let error where error is CancellationError || error.isCancelledMedia {
      stop("stopped; nothing was written")
    } catch let error as RequestError {
      Console.note("Error: \(error.inOptions)")
      throw ExitCode(EX_USAGE)
    } catch {
      throw error.advised
    }
  }

  /// Ends a command that Ctrl-C stopped.
  ///
  /// Without the process's exit handlers: the library that runs ffmpeg may have a task on its way out, which crashes when
  /// it meets what they tear down.
  private static func stop(_ line: String) -> Never {
    Console.note(line)
    _exit(130)
  }
}

extension Error {
  /// Whether ffmpeg was stopped because its task was.
  var isCancelledMedia: Bool {
    if case .cancelled? = self as? MediaError { true } else { false }
  }
}

/// A run that failed, and can go on.
struct UnfinishedRun: Error, CustomStringConvertible {
  let reason: any Error
  let folder: String

  var description: String { "\(reason)\nwhere it stood is saved; 'wan resume \(folder)' goes on from there" }
}

/// A run that was stopped, and can go on.
struct StoppedRun: Error, CustomStringConvertible {
  let folder: String

  var description: String { "stopped; 'wan resume \(folder)' goes on from there" }
}
