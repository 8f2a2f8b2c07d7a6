import Files
import Subprocess
import Synchronization

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A running ffmpeg that reads raw frames from its standard input.
///
/// It is a success only when it exits with 0 and has said nothing: at the level of errors, ffmpeg reports a disk that is
/// full and goes on.
actor FFmpegEncoder: FrameEncoder {
  private let input: FileDescriptor
  private let writer: PipeWriter
  private let process: Task<EncoderOutcome, Never>
  private let ending: EncoderEnding
  private let path: String
  private var isInputOpen = true

  /// Starts ffmpeg; whether that succeeds shows at the first frame.
  ///
  /// - Parameters:
  ///   - output: the descriptor that becomes ffmpeg's standard output; nothing is read from it unless given.
  ///   - path: the clip that errors name.
  init(_ ffmpeg: FFmpeg, arguments: [String], output: Int32? = nil, path: String) throws(MediaError) {
    let pipe: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
    do { pipe = try FileDescriptor.pipe() } catch {
      throw .ffmpegFailed(path: path, status: "could not run \(ffmpeg.path)", log: ["no pipe to it: \(error)"])
    }
    Descriptor.closeOnExecution(pipe.readEnd.rawValue)
    Descriptor.closeOnExecution(pipe.writeEnd.rawValue)
    Descriptor.setNonBlocking(pipe.writeEnd.rawValue)
    let ending = EncoderEnding()
    (self.ending, input, self.path) = (ending, pipe.writeEnd, path)
    writer = PipeWriter(pipe.writeEnd.rawValue, isNonBlocking: true)
    process = Task {
      let outcome = await Self.run(ffmpeg, arguments, from: pipe.readEnd, to: output, path)
      ending.outcome.withLock { $0 = outcome }
      return outcome
    }
  }

  deinit {
    if isInputOpen { try? input.close() }
    process.cancel()
  }

  func write(_ frame: RGBImage) async throws(MediaError) {
    if let ended = ending.outcome.withLock({ $0 }) { throw ended.failure ?? endedEarly() }
    let code: Int32?
    do { code = try await writer.write(frame.pixels) } catch { throw .cancelled(path: path) }
    guard code != nil else { return }
    closeInput()
    throw await result().failure ?? endedEarly()
  }

  func finish() async throws(MediaError) {
    closeInput()
    let outcome = await result()
    guard !Task.isCancelled else { throw .cancelled(path: path) }
    if let failure = outcome.failure { throw failure }
  }

  nonisolated func abandon() { process.cancel() }

  nonisolated var isAbandoned: Bool { process.isCancelled }

  func ended() async {
    closeInput()
    _ = await process.value
  }

  private func result() async -> EncoderOutcome {
    await withTaskCancellationHandler {
      await process.value
    } onCancel: {
      process.cancel()
    }
  }

  private func endedEarly() -> MediaError {
    Task.isCancelled
      ? .cancelled(path: path) : .ffmpegFailed(path: path, status: "it ended before the last frame", log: [])
  }

  private func closeInput() {
    guard isInputOpen else { return }
    isInputOpen = false
    try? input.close()
  }

  private static func run(
    _ ffmpeg: FFmpeg, _ arguments: [String], from input: FileDescriptor, to output: Int32?, _ path: String
  ) async -> EncoderOutcome {
    let executable: Executable
    do { executable = try await ffmpeg.executable() } catch {
      try? input.close()
      return EncoderOutcome(failure: unstarted(ffmpeg, path, error))
    }
    do {
      let configuration = Configuration(
        executable: executable, arguments: Arguments(arguments), environment: .forFFmpeg, platformOptions: .ownGroup)
      guard let output else { return try await run(configuration, from: input, to: .discarded, path) }
      let stream = FileDescriptorOutput.fileDescriptor(
        FileDescriptor(rawValue: output), closeAfterSpawningProcess: false)
      return try await run(configuration, from: input, to: stream, path)
    } catch {
      return EncoderOutcome(failure: unstarted(ffmpeg, path, error))
    }
  }

  private static func run(
    _ configuration: Configuration, from input: FileDescriptor, to output: some OutputProtocol, _ path: String
  ) async throws -> EncoderOutcome {
    let result = try await Subprocess.run(
      configuration, input: .fileDescriptor(input, closeAfterSpawningProcess: true), output: output, error: .sequence
    ) { execution in
      await LogTail(reading: execution.standardError, of: execution.processIdentifier.value)
    }
    return EncoderOutcome(result.terminationStatus, result.closureResult, path: path)
  }

  private static func unstarted(_ ffmpeg: FFmpeg, _ path: String, _ error: any Error) -> MediaError {
    .ffmpegFailed(path: path, status: "could not run \(ffmpeg.path)", log: ["\(error)"])
  }
}

/// How an encoder ended.
struct EncoderOutcome: Sendable {
  /// `nil` for a success.
  let failure: MediaError?

  init(failure: MediaError?) { self.failure = failure }

  init(_ status: TerminationStatus, _ log: LogTail, path: String) {
    let lines = log.lines
    failure =
      status.isSuccess && lines.isEmpty
      ? nil
      : .ffmpegFailed(path: path, status: status.isSuccess ? "it went on after an error" : "\(status)", log: lines)
  }
}

/// Where the task that runs an encoder leaves how it ended, for whoever is about to write to it.
final class EncoderEnding: Sendable {
  let outcome = Mutex<EncoderOutcome?>(nil)
}
