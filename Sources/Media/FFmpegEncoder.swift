import Subprocess

/// A running ffmpeg that reads raw frames from its standard input.
final class FFmpegEncoder: FrameEncoder {
  private struct Outcome: Sendable {
    var succeeded: Bool
    var error: MediaError
  }

  private let input: StandardInputWriter
  private let process: Task<Outcome, Never>
  private let path: String

  /// - Parameter path: the clip that errors name.
  init(_ ffmpeg: FFmpeg, arguments: [String], path: String) async throws(MediaError) {
    _ = BrokenPipe.ignored
    let (inputs, continuation) = AsyncStream<StandardInputWriter>.makeStream()
    let process = Task {
      let outcome = await Self.run(ffmpeg, arguments, path, onStart: { continuation.yield($0) })
      continuation.finish()
      return outcome
    }
    let input = await withTaskCancellationHandler {
      await inputs.first { _ in true }
    } onCancel: {
      process.cancel()
    }
    guard let input else {
      process.cancel()
      throw Task.isCancelled ? .cancelled(path: path) : await process.value.error
    }
    (self.input, self.process, self.path) = (input, process, path)
  }

  func write(_ frame: RGBImage) async throws(MediaError) {
    let written = await withTaskCancellationHandler {
      (try? await input.write(frame.pixels)) ?? 0
    } onCancel: {
      process.cancel()
    }
    guard written == frame.pixels.count else { throw await failure() }
  }

  func finish() async throws(MediaError) {
    let outcome = await withTaskCancellationHandler {
      try? await input.finish()
      return await process.value
    } onCancel: {
      process.cancel()
    }
    guard outcome.succeeded, !Task.isCancelled else { throw await failure() }
  }

  func abandon() { process.cancel() }

  func ended() async { _ = await process.value }

  private func failure() async -> MediaError {
    if Task.isCancelled { return .cancelled(path: path) }
    // A write can fail while ffmpeg still lives: without its input closed it would never end.
    try? await input.finish()
    return await process.value.error
  }

  /// The closure ends with ffmpeg's log, that is when ffmpeg ends: until then its input may be used from outside.
  private static func run(
    _ ffmpeg: FFmpeg, _ arguments: [String], _ path: String,
    onStart: @escaping @Sendable (StandardInputWriter) -> Void
  ) async -> Outcome {
    do {
      let configuration = Configuration(
        executable: try await ffmpeg.executable(), arguments: Arguments(arguments), platformOptions: .ownGroup)
      let result = try await Subprocess.run(
        configuration, input: .inputWriter, output: .discarded, error: .sequence
      ) { execution in
        onStart(execution.standardInputWriter)
        return await LogTail(reading: execution.standardError)
      }
      let status = result.terminationStatus
      let error = MediaError.ffmpegFailed(path: path, status: "\(status)", log: result.closureResult.lines)
      return Outcome(succeeded: status.isSuccess, error: error)
    } catch {
      let failure = MediaError.ffmpegFailed(path: path, status: "could not run \(ffmpeg.path)", log: ["\(error)"])
      return Outcome(succeeded: false, error: failure)
    }
  }
}
