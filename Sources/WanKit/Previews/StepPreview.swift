public import Media
import Sampling
import Tensors
import WanModels

/// What a clip looks like after a step: its clean sample as small pictures.
public struct StepPreview: Sendable {
  /// Counted from 1, and how many there are in all.
  public let step, steps: Int
  /// One for each latent frame, in order: the first frame of the clip, and then one for every four of its frames.
  public let pictures: [RGBImage]
  /// Pictures per second, which run as fast as the clip itself.
  public let frameRate: FrameRate

  /// As they are.
  public init(step: Int, steps: Int, pictures: [RGBImage], frameRate: FrameRate) {
    (self.step, self.steps, self.pictures, self.frameRate) = (step, steps, pictures, frameRate)
  }

  /// Whether no step follows.
  public var isLast: Bool { step == steps }
}

/// Makes pictures of each step of a run, or of every so manyth, for whoever shows them.
///
/// ```swift
/// let preview = try PreviewObserver(plan, by: PreviewChoice(plan.model).source(on: backend)) { preview in
///   print("step \(preview.step) of \(preview.steps): \(preview.pictures.count) pictures")
/// }
/// try await engine.run(plan, observers: [preview]) { frames in ... }
/// ```
public final class PreviewObserver: StepObserver {
  private let source: PreviewSource
  private let interval: Int
  private let frameRate: FrameRate
  private let onNotice: @Sendable (String) -> Void
  private let onPreview: @Sendable (StepPreview) -> Void

  /// - Parameters:
  ///   - plan: of the run.
  ///   - source: what makes the pictures.
  ///   - interval: steps from one preview to the next. The last step always has one.
  ///   - onNotice: told in a line when a step has no pictures, since the source failed.
  ///   - onPreview: called on the run's own thread, which waits: it should hand on what takes longer.
  public init(
    _ plan: GenerationPlan, by source: PreviewSource, every interval: Int = 1,
    onNotice: @escaping @Sendable (String) -> Void = { _ in }, onPreview: @escaping @Sendable (StepPreview) -> Void
  ) {
    precondition(interval > 0, "previews of every \(interval) steps")
    (self.source, self.interval, self.onNotice, self.onPreview) = (source, interval, onNotice, onPreview)
    frameRate = plan.previewRate
  }

  /// Makes the pictures where the step is one that has them.
  ///
  /// - Throws: `CancellationError` when the run is cancelled meanwhile.
  public func observe(_ step: StepResult) throws {
    guard step.step % interval == 0 || step.step == step.steps else { return }
    do {
      let pictures = try source.pictures(of: step.clean)
      onPreview(StepPreview(step: step.step, steps: step.steps, pictures: pictures, frameRate: frameRate))
    } catch let cancelled as CancellationError {
      throw cancelled
    } catch {
      onNotice("the run goes on, but step \(step.step) has no preview: \(error)")
    }
  }
}

extension GenerationPlan {
  /// Latent frames per second of the clip.
  fileprivate var previewRate: FrameRate {
    let stride = model.latents.time
    let (rate, overflow) = framesPerSecond.denominator.multipliedReportingOverflow(by: stride)
    return overflow
      ? FrameRate(framesPerSecond.value / Double(stride)) : FrameRate(framesPerSecond.numerator, over: rate)
  }
}
