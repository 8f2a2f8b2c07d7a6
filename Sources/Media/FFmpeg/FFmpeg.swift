import Foundation
import Subprocess

/// A located `ffmpeg` executable. It is run directly, never through a shell.
public struct FFmpeg: Sendable, Equatable {
  /// The absolute path of the executable.
  public let path: String

  /// Finds the command in the folders of a `PATH`-like list separated by colons; empty and relative entries are
  /// skipped. A `name` with a slash is taken as a path.
  ///
  /// - Parameter searchPath: usually the environment's `PATH`; the caller reads it.
  /// - Throws: `ffmpegMissing`, which says what to install.
  public static func locate(_ name: String = "ffmpeg", searchPath: String?) throws(MediaError) -> FFmpeg {
    if name.contains("/") {
      let absolute = URL(fileURLWithPath: name).path
      guard isExecutable(absolute) else { throw .ffmpegMissing(name: name, searched: [name]) }
      return FFmpeg(path: absolute)
    }
    let folders = (searchPath ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    for folder in folders where isExecutable(folder + "/" + name) {
      return FFmpeg(path: folder + "/" + name)
    }
    throw .ffmpegMissing(name: name, searched: folders)
  }

  private static func isExecutable(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
      && FileManager.default.isExecutableFile(atPath: path)
  }
}

/// What a finished process left.
struct ProcessResult: Sendable {
  var succeeded: Bool
  /// `exited(1)`, `signaled(9)` and the like.
  var status: String
  var output: [UInt8]
  var log: LogTail
}

/// A file that is removed as soon as a process has it as its standard input, and what that process may take.
struct BoundedInput: Sendable {
  /// An absolute path, in a folder of its own.
  var path: String
  var bounds: DecodeBounds
}

extension FFmpeg {
  /// Runs ffmpeg to its end, keeping at most `limit` bytes of its output; it is killed when the task is cancelled or
  /// its time is over.
  ///
  /// - Parameters:
  ///   - subject: the path that errors name.
  ///   - input: nil for a run without input and without bounds.
  ///   - seconds: the time that a run without input may take.
  func collect(
    _ arguments: [String], limit: Int, subject: String, input: BoundedInput? = nil, seconds: Int? = nil
  ) async throws(MediaError) -> ProcessResult {
    do {
      let result = try await within(input?.bounds.seconds ?? seconds) {
        try await collected(configuration(arguments, input: input), limit: limit)
      }
      guard !Task.isCancelled else { throw MediaError.cancelled(path: subject) }
      if result == nil, let seconds {
        throw MediaError.ffmpegFailed(path: subject, status: "stopped after \(seconds) seconds", log: [])
      }
      guard let result else {
        throw MediaError.cannotRead(
          path: subject, reason: "ffmpeg was stopped after \(input?.bounds.seconds ?? 0) seconds without a picture")
      }
      return result
    } catch let error as MediaError {
      throw error
    } catch {
      if Task.isCancelled { throw .cancelled(path: subject) }
      throw .ffmpegFailed(path: subject, status: "could not run \(path)", log: ["\(error)"])
    }
  }

  /// The executable in the form that runs this very file, without another search.
  func executable() async throws -> Executable { try await Executable.at(path) }

  /// A shell is the one program everywhere that sets a limit on itself, opens a file, removes it and becomes another
  /// program; it reads none of the arguments. A limit that is already lower, or that the system does not have, stays.
  private static let preparation = """
    ulimit -v "$1" 2>/dev/null || :
    exec <"$2"
    rm -f "$2" 2>/dev/null && rmdir "${2%/*}" 2>/dev/null
    shift 2
    exec "$@"
    """

  private func configuration(_ arguments: [String], input: BoundedInput?) async throws -> Configuration {
    guard let input else {
      return Configuration(
        executable: try await executable(), arguments: Arguments(arguments), environment: .forFFmpeg,
        platformOptions: .ownGroup)
    }
    let words = ["-c", Self.preparation, "sh", "\(input.bounds.kibibytes)", input.path, path] + arguments
    return Configuration(
      executable: try await Executable.at("/bin/sh"), arguments: Arguments(words), environment: .forFFmpeg,
      platformOptions: .ownGroup)
  }

  private func collected(_ configuration: Configuration, limit: Int) async throws -> ProcessResult {
    let result = try await run(configuration, input: .none, output: .sequence, error: .sequence) { execution in
      async let log = LogTail(reading: execution.standardError, of: execution.processIdentifier.value)
      var output: [UInt8] = []
      for try await buffer in execution.standardOutput where output.count + buffer.count <= limit {
        output += Array(buffer)
      }
      return (output, await log)
    }
    let (output, log) = result.closureResult
    let status = result.terminationStatus
    return ProcessResult(succeeded: status.isSuccess, status: "\(status)", output: output, log: log)
  }

  /// The body's result, or nil when it was cancelled because its time was over.
  private func within(
    _ seconds: Int?, _ body: @escaping @Sendable () async throws -> ProcessResult
  ) async throws -> ProcessResult? {
    guard let seconds else { return try await body() }
    return try await withThrowingTaskGroup(of: ProcessResult?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await Task.sleep(for: .seconds(seconds))
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }
}

extension Executable {
  /// - Parameter path: an absolute path.
  fileprivate static func at(_ path: String) async throws -> Executable {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    let name = Executable.name(String(path[slash...].dropFirst()))
    return .path(try await name.resolveExecutablePath(in: .custom(["PATH": folder])))
  }
}

extension Environment {
  /// Without the variable that makes ffmpeg leave a report in the working folder.
  static var forFFmpeg: Environment { .inherit.updating(["FFREPORT": nil]) }
}

extension PlatformOptions {
  /// A process group of its own: Ctrl-C at the terminal reaches this program alone, which then ends ffmpeg itself.
  static var ownGroup: PlatformOptions {
    var options = PlatformOptions()
    options.processGroupID = 0
    // What ffmpeg may have started itself, being a script, ends with it.
    options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)]
    return options
  }
}
