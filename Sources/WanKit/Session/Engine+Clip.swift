import Files
public import Media
public import Sampling
import Synchronization
public import Tensors

/// Where a clip goes, and what it tells of itself.
public struct ClipOutput: Sendable {
  /// Looked at before anything is computed.
  public let target: ClipTarget
  /// Needed for every format but .y4m.
  public let ffmpeg: FFmpeg?
  /// Kept in the clip's comment where the format has one.
  public let metadata: String?

  /// A target, what encodes it, and what it tells.
  public init(_ target: ClipTarget, ffmpeg: FFmpeg?, metadata: String? = nil) {
    (self.target, self.ffmpeg, self.metadata) = (target, ffmpeg, metadata)
  }
}

extension Engine {
  /// Runs a plan into a clip; a file appears under its name when it is complete, and not before.
  ///
  /// The target is looked at and the encoder is tried before anything is computed.
  ///
  /// - Parameters: as of ``run(_:from:keepTrace:observers:onEvent:frames:)``.
  /// - Throws: `MediaError`, and what ``run(_:from:keepTrace:observers:onEvent:frames:)`` throws; nothing is left behind then,
  ///   unless sampling was done: then ``UnfinishedClip``, which says where the latents are.
  @discardableResult
  public func clip(
    _ plan: GenerationPlan, into output: ClipOutput, from state: RunState? = nil, keepTrace: Bool = false,
    observers: [any StepObserver] = [], onEvent: @escaping @Sendable (GenerationEvent) -> Void = { _ in }
  ) async throws -> GenerationTrace? {
    let settings = try ClipSettings(
      width: plan.width, height: plan.height, frameRate: plan.framesPerSecond, frameCount: plan.newFrames,
      metadata: output.metadata)
    let writer = try await ClipWriter(to: output.target, settings: settings, ffmpeg: output.ffmpeg)
    let sampled = Sampled()
    let recorder = keepTrace ? TraceRecorder() : nil
    let listeners = JobListeners(
      recorder: recorder, observers: observers, onEvent: onEvent, state: state, sampled: sampled.take)
    do {
      try await perform(plan, listeners) { chunk in
        for frame in RGBImage.frames(of: chunk) { try await writer.write(frame) }
      }
      for notice in try await writer.finish() { onEvent(.notice(notice)) }
      return recorder?.trace
    } catch {
      await writer.cancel()
      let name = output.target.paths(frameCount: plan.newFrames).first ?? "clip"
      throw sampled.keep(by: LatentKeeper(clip: name, metadata: output.metadata), after: error)
    }
  }
}

/// The latents of a run, from when they are final to when they are a clip.
private final class Sampled: Sendable {
  private let latents = Mutex<Tensor?>(nil)

  func take(_ latents: Tensor) { self.latents.withLock { $0 = latents } }

  /// The failure to tell: with the place of the latents, where they are done, the clip is lost, and nobody asked for that.
  func keep(by keeper: LatentKeeper, after error: any Error) -> any Error {
    switch error {
    case is CancellationError, MediaError.cancelled, MediaError.keptElsewhere: return error
    default:
      guard let path = latents.withLock({ $0 }).flatMap(keeper.keep) else { return error }
      return UnfinishedClip(reason: error, latents: path)
    }
  }
}

extension RGBImage {
  /// The pictures of frames [n, H, W, 3] in [-1, 1]: (x + 1) / 2 * 255, cut down to whole numbers as published.
  ///
  /// What lies outside counts as -1 or 1, and NaN as -1.
  public static func frames(of tensor: Tensor) -> [RGBImage] {
    let (height, width) = (tensor.shape[1], tensor.shape[2])
    let size = height * width * 3
    return (0..<tensor.shape[0]).map { frame in
      let pixels = tensor.withSpan(of: Float.self) { values in
        (0..<size).map { i in
          byte(values[frame * size + i])
        }
      }
      return RGBImage(width: width, height: height, pixels: pixels)
    }
  }

  /// A number in [-1, 1] as a byte of a picture.
  static func byte(_ value: Float) -> UInt8 {
    let x = (value + 1) / 2
    return x > 0 ? (x < 1 ? UInt8(x * 255) : 255) : 0
  }
}
