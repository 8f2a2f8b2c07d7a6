import Files
import Subprocess
import Synchronization

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A running ffmpeg whose standard output is frames, one binary pixmap (Netpbm's P6) after the other.
///
/// It writes as fast as frames are asked for: what nobody reads yet stays in the pipe. It is a success only when it exits
/// with 0 and has said nothing.
actor FFmpegDecoder: FrameSource {
  private let output: FileDescriptor
  private let process: Task<Outcome, Never>
  private let ending: Ending
  private let patience: Duration
  private let path: String
  private var stream: PixmapStream
  private var block = [UInt8](repeating: 0, count: FFmpegDecoder.pipeSize)
  private var isAtEnd = false

  private static let pipeSize = 1 << 20

  /// Starts ffmpeg; whether that succeeds shows at the first frame.
  ///
  /// - Parameters:
  ///   - bounds: the memory that it may take.
  ///   - pixelLimit: the most pixels that a frame may have.
  ///   - patience: how long a frame is waited for while nothing comes.
  ///   - path: the clip that errors name.
  init(
    _ ffmpeg: FFmpeg, arguments: [String], bounds: DecodeBounds, pixelLimit: Int, patience: Duration, path: String
  ) throws(MediaError) {
    let pipe: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
    do { pipe = try FileDescriptor.pipe() } catch {
      throw .ffmpegFailed(path: path, status: "could not run \(ffmpeg.path)", log: ["no pipe to it: \(error)"])
    }
    Descriptor.closeOnExecution(pipe.readEnd.rawValue)
    Descriptor.closeOnExecution(pipe.writeEnd.rawValue)
    Descriptor.setPipeSize(pipe.readEnd.rawValue, Self.pipeSize)
    let ending = Ending()
    (self.ending, output, self.path, self.patience) = (ending, pipe.readEnd, path, patience)
    stream = PixmapStream(pixelLimit: pixelLimit)
    process = Task {
      let outcome = await Self.run(ffmpeg, arguments, bounds, to: pipe.writeEnd, path)
      ending.outcome.withLock { $0 = outcome }
      return outcome
    }
  }

  deinit {
    try? output.close()
    process.cancel()
  }

  func next() async throws(MediaError) -> RGBImage? {
    while true {
      if let frame = stream.popFirst() { return frame }
      guard !isAtEnd else { return nil }
      if try await receive() { continue }
      isAtEnd = true
      if let failure = await process.value.failure { throw failure }
      guard stream.isBetweenFrames else { throw .cannotReadClip(path: path, reason: "it ends within a frame") }
    }
  }

  /// Takes what ffmpeg has written, once it has.
  ///
  /// - Returns: whether there was anything.
  private func receive() async throws(MediaError) -> Bool {
    guard try await isReadable() else { return false }
    let count: Int
    do { count = try Descriptor.read(output.rawValue, into: &block) } catch {
      throw .cannotReadClip(path: path, reason: "\(error)")
    }
    guard stream.take(block[..<count]) else {
      process.cancel()
      throw .cannotReadClip(path: path, reason: "what ffmpeg gives for it are no frames")
    }
    return count > 0
  }

  /// Waits without holding a thread.
  private func isReadable() async throws(MediaError) -> Bool {
    let start = ContinuousClock.now
    var pause = 1
    while !Descriptor.isReadable(output.rawValue) {
      // What was written before the end can be read after it.
      if ending.outcome.withLock({ $0 != nil }), !Descriptor.isReadable(output.rawValue) { return false }
      guard ContinuousClock.now - start < patience else {
        process.cancel()
        throw .cannotReadClip(
          path: path, reason: "ffmpeg was stopped after \(patience.components.seconds) seconds without a frame")
      }
      do { try await Task.sleep(for: .milliseconds(pause)) } catch {
        process.cancel()
        throw .cancelled(path: path)
      }
      pause = min(2 * pause, 8)
    }
    return true
  }
}

extension FFmpegDecoder {
  /// How it ended.
  fileprivate struct Outcome: Sendable {
    /// `nil` for a success.
    let failure: MediaError?
  }

  /// Where the task that runs ffmpeg leaves how that ended, for whoever waits for a frame.
  fileprivate final class Ending: Sendable {
    let outcome = Mutex<Outcome?>(nil)
  }

  /// A shell is the one program everywhere that sets a limit on itself and becomes another program. A limit that the
  /// system does not have stays.
  private static let preparation = """
    ulimit -v "$1" 2>/dev/null || :
    shift
    exec "$@"
    """

  private static func run(
    _ ffmpeg: FFmpeg, _ arguments: [String], _ bounds: DecodeBounds, to output: FileDescriptor, _ path: String
  ) async -> Outcome {
    let words = ["-c", preparation, "sh", "\(bounds.kibibytes)", ffmpeg.path] + arguments
    let configuration = Configuration(
      executable: .path("/bin/sh"), arguments: Arguments(words), environment: .forFFmpeg, platformOptions: .ownGroup)
    do {
      let result = try await Subprocess.run(
        configuration, input: .none, output: .fileDescriptor(output, closeAfterSpawningProcess: true), error: .sequence
      ) { execution in
        await LogTail(reading: execution.standardError, of: execution.processIdentifier.value)
      }
      return Outcome(result.terminationStatus, result.closureResult, ffmpeg, path)
    } catch {
      return Outcome(
        failure: .ffmpegFailed(path: path, status: "could not run \(ffmpeg.path)", log: ["\(error)"]))
    }
  }
}

extension FFmpegDecoder.Outcome {
  fileprivate init(_ status: TerminationStatus, _ log: LogTail, _ ffmpeg: FFmpeg, _ path: String) {
    let (lines, code) = (log.lines, "\(status)")
    if status.isSuccess, lines.isEmpty {
      failure = nil
    } else if code.hasSuffix("(126)") || code.hasSuffix("(127)") {
      // The shell that starts ffmpeg ends so when it cannot.
      failure = .ffmpegFailed(path: path, status: "could not run \(ffmpeg.path)", log: lines)
    } else {
      let words = lines.isEmpty ? code : lines.joined(separator: "; ")
      failure = .cannotReadClip(path: path, reason: "it is damaged, or ends early (\(words))")
    }
  }
}

/// Binary pixmaps of 8 bits in a row, put together from pieces.
struct PixmapStream {
  private let pixelLimit: Int
  private var header: [UInt8] = []
  private var size: (width: Int, height: Int)?
  private var pixels: [UInt8] = []
  private var ready: ArraySlice<RGBImage> = []

  /// - Parameter pixelLimit: the most pixels that a picture may have.
  init(pixelLimit: Int) { self.pixelLimit = pixelLimit }

  /// Whether every picture that has begun is whole.
  var isBetweenFrames: Bool { header.isEmpty && size == nil }

  /// The first picture that is whole and was not taken yet.
  mutating func popFirst() -> RGBImage? { ready.popFirst() }

  /// - Returns: false for bytes that are no such pictures.
  mutating func take(_ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      guard let size else {
        guard takeHeader(&rest) else { return false }
        continue
      }
      let part = rest.prefix(size.width * size.height * 3 - pixels.count)
      pixels += part
      rest = rest.dropFirst(part.count)
      guard pixels.count == size.width * size.height * 3 else { continue }
      ready.append(RGBImage(width: size.width, height: size.height, pixels: pixels))
      (self.size, pixels) = (nil, [])
    }
    return true
  }

  /// Takes what there is of `P6`, the size and the largest value, each in a line.
  private mutating func takeHeader(_ rest: inout ArraySlice<UInt8>) -> Bool {
    while let byte = rest.popFirst() {
      header.append(byte)
      guard header.count < 40 else { return false }
      let lines = header.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      guard lines.count == 4 else { continue }
      let sides = lines[1].split(separator: UInt8(ascii: " ")).map { Int(String(decoding: $0, as: UTF8.self)) }
      guard lines[0].elementsEqual("P6".utf8), lines[2].elementsEqual("255".utf8), sides.count == 2,
        let width = sides[0], let height = sides[1], width > 0, height > 0, width <= pixelLimit / height
      else { return false }
      (size, header) = ((width, height), [])
      pixels.reserveCapacity(width * height * 3)
      return true
    }
    return true
  }
}
