import Subprocess

/// What a finished process left.
struct ProcessResult: Sendable {
  var succeeded: Bool
  /// `exited(1)`, `signaled(9)` and the like.
  var status: String
  var output: [UInt8]
  var log: LogTail
}

extension FFmpeg {
  /// Runs ffmpeg to its end, keeping at most `limit` bytes of its output; it is killed when the task is cancelled.
  ///
  /// - Parameter subject: the path that errors name.
  func collect(_ arguments: [String], limit: Int, subject: String) async throws(MediaError) -> ProcessResult {
    do {
      let result = try await run(
        Configuration(executable: try await executable(), arguments: Arguments(arguments), platformOptions: .ownGroup),
        input: .none, output: .sequence, error: .sequence
      ) { execution in
        async let log = LogTail(reading: execution.standardError)
        var output: [UInt8] = []
        for try await buffer in execution.standardOutput where output.count + buffer.count <= limit {
          output += Array(buffer)
        }
        return (output, await log)
      }
      let (output, log) = result.closureResult
      guard !Task.isCancelled else { throw MediaError.cancelled(path: subject) }
      let status = result.terminationStatus
      return ProcessResult(succeeded: status.isSuccess, status: "\(status)", output: output, log: log)
    } catch let error as MediaError {
      throw error
    } catch {
      if Task.isCancelled { throw .cancelled(path: subject) }
      throw .ffmpegFailed(path: subject, status: "could not run \(path)", log: ["\(error)"])
    }
  }

  /// The executable in the form that runs this very file, without another search.
  func executable() async throws -> Executable {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    let name = Executable.name(String(path[slash...].dropFirst()))
    return .path(try await name.resolveExecutablePath(in: .custom(["PATH": folder])))
  }
}

extension PlatformOptions {
  /// A process group of its own: Ctrl-C at the terminal reaches this program alone, which then ends ffmpeg itself.
  static var ownGroup: PlatformOptions {
    var options = PlatformOptions()
    options.processGroupID = 0
    return options
  }
}
