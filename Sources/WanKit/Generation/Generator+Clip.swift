public import Media
public import Tensors

extension Generator {
  /// Runs a plan into a clip file; the target appears when it is complete, and not before.
  ///
  /// The target's folder and format are checked, and the encoder is started, before anything is computed.
  ///
  /// - Parameters:
  ///   - ffmpeg: needed for every format but .y4m.
  ///   - metadata: kept in the clip's comment where the format has one.
  /// - Throws: `MediaError`, and what ``run(_:keepTrace:onEvent:frames:)`` throws; nothing is left behind then.
  @discardableResult
  public func clip(
    _ plan: GenerationPlan, to path: String, ffmpeg: FFmpeg?, metadata: String? = nil, keepTrace: Bool = false,
    onEvent: @escaping @Sendable (GenerationEvent) -> Void = { _ in }
  ) async throws -> GenerationTrace? {
    let settings = try ClipSettings(
      width: plan.width, height: plan.height, frameRate: FrameRate(plan.framesPerSecond), frameCount: plan.frames,
      metadata: metadata)
    let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpeg)
    do {
      let trace = try await run(plan, keepTrace: keepTrace, onEvent: onEvent) { chunk in
        for frame in RGBImage.frames(of: chunk) { try await writer.write(frame) }
      }
      try await writer.finish()
      return trace
    } catch {
      await writer.cancel()
      throw error
    }
  }
}

extension RGBImage {
  /// The pictures of frames [n, H, W, 3] in [-1, 1]: (x + 1) / 2 * 255, cut down to whole numbers as published.
  public static func frames(of tensor: Tensor) -> [RGBImage] {
    let (height, width) = (tensor.shape[1], tensor.shape[2])
    let size = height * width * 3
    return (0..<tensor.shape[0]).map { frame in
      let pixels = tensor.withSpan(of: Float.self) { values in
        (0..<size).map { UInt8(min(max((values[frame * size + $0] + 1) / 2, 0), 1) * 255) }
      }
      return RGBImage(width: width, height: height, pixels: pixels)
    }
  }
}
