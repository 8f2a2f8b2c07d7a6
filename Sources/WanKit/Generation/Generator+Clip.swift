import Files
public import Media
import Synchronization
public import Tensors

extension Generator {
  /// Runs a plan into a clip; a file appears under its name when it is complete, and not before.
  ///
  /// The target is looked at and the encoder is tried before anything is computed.
  ///
  /// - Parameters:
  ///   - ffmpeg: needed for every format but .y4m.
  ///   - metadata: kept in the clip's comment where the format has one.
  /// - Throws: `MediaError`, and what ``run(_:keepTrace:onEvent:frames:)`` throws; nothing is left behind then, unless
  ///   sampling was done: then ``UnfinishedClip``, which says where the latents are.
  @discardableResult
  public func clip(
    _ plan: GenerationPlan, to target: ClipTarget, ffmpeg: FFmpeg?, metadata: String? = nil, keepTrace: Bool = false,
    onEvent: @escaping @Sendable (GenerationEvent) -> Void = { _ in }
  ) async throws -> GenerationTrace? {
    let settings = try ClipSettings(
      width: plan.width, height: plan.height, frameRate: plan.framesPerSecond, frameCount: plan.frames,
      metadata: metadata)
    let writer = try await ClipWriter(to: target, settings: settings, ffmpeg: ffmpeg)
    let sampled = Sampled()
    do {
      let trace = try await run(plan, keepTrace: keepTrace, onEvent: onEvent, sampled: sampled) { chunk in
        for frame in RGBImage.frames(of: chunk) { try await writer.write(frame) }
      }
      for notice in try await writer.finish() { onEvent(.notice(notice)) }
      return trace
    } catch {
      await writer.cancel()
      let keeper = LatentKeeper(clip: target.paths(frameCount: plan.frames).first ?? "clip", metadata: metadata)
      throw sampled.keep(by: keeper, after: error)
    }
  }
}

/// The latents of a run, from when they are final to when they are a clip.
final class Sampled: Sendable {
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
          let x = (values[frame * size + i] + 1) / 2
          return x > 0 ? (x < 1 ? UInt8(x * 255) : 255) : 0
        }
      }
      return RGBImage(width: width, height: height, pixels: pixels)
    }
  }
}
