import Files
import Foundation
import Media
import Tensors
import WanKit

/// The previews of one run: what makes them, and where they go.
struct PreviewRun: Sendable {
  let target: PreviewTarget
  let choice: PreviewChoice
  let interval: Int
  private let ffmpeg: FFmpeg?

  /// Looks at everything that previews need; `nil` where none were asked for.
  ///
  /// - Parameter folder: what relative names lie in, where that is not the working folder.
  init?(
    _ options: PreviewOptions, _ target: PreviewTarget?, of model: ModelFolder, in folder: String? = nil
  ) throws {
    guard let target else { return nil }
    (self.target, interval) = (target, options.previewEvery ?? 1)
    choice = try options.choice(model, in: folder)
    if case .file(let place) = target, place.needsFFmpeg {
      ffmpeg = try .fromEnvironment()
      try ProcessLimits.encoder.check()
    } else {
      ffmpeg = nil
    }
  }

  func check(_ places: OutputPlaces, _ plan: GenerationPlan, inputs: [String]) throws {
    if case .file(let place) = target { try place.check(places, plan, inputs: inputs) }
  }

  /// For the plan.
  var summary: PreviewSummary { PreviewSummary(target: target.name, every: interval, by: choice.origin) }

  /// Loads what makes the pictures, and begins to take them; costs a notice where that fails.
  ///
  /// - Returns: what looks at the run's steps, and what waits for the last picture.
  func begin(_ plan: GenerationPlan, on backend: any Backend, _ reporter: ProgressReporter) -> StartedPreviews? {
    let onNotice: @Sendable (String) -> Void = { reporter.show(.notice($0)) }
    for notice in choice.notices { onNotice(notice) }
    let source: PreviewSource
    do { source = try choice.source(on: backend, precision: plan.precision) } catch {
      onNotice("the run goes on without previews: \(error)")
      return nil
    }
    switch target {
    case .terminal(let pictures):
      let observer = PreviewObserver(plan, by: source, every: interval, onNotice: onNotice) { preview in
        reporter.show(pictures.drawing(of: preview))
      }
      return StartedPreviews(observer: observer, writer: nil)
    case .file(let place):
      let writer = PreviewWriter(place, ffmpeg: ffmpeg, onNotice: onNotice)
      let observer = PreviewObserver(plan, by: source, every: interval, onNotice: onNotice) { writer.offer($0) }
      return StartedPreviews(observer: observer, writer: writer)
    }
  }
}

/// Previews of a run that goes on.
struct StartedPreviews {
  let observer: PreviewObserver
  let writer: PreviewWriter?

  /// Waits for the last picture.
  func finish() async { await writer?.finish() }

  /// Lets go of what is not written.
  func cancel() async { await writer?.cancel() }
}

/// What the plan tells of previews.
struct PreviewSummary: Encodable {
  /// The file, or the terminal and its pictures.
  let target: String
  /// Steps from one to the next.
  let every: Int
  /// What makes the pictures.
  let by: PreviewChoice.Origin

  var line: String {
    let source =
      switch by {
      case .own: "the model's own colours"
      case .published: "the published colours"
      case .tiny: "a tiny autoencoder"
      }
    return "preview  \(target), after \(every == 1 ? "each step" : "every \(every) steps"), by \(source)"
  }
}
