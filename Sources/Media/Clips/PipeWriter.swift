import Files

/// Bytes into a descriptor whose reader sets the pace. Waiting holds no thread, and ends when the task is cancelled.
struct PipeWriter: Sendable {
  private let descriptor: Int32
  /// The most bytes of one write: as many as a pipe may hold where writes return rather than wait, and else 512, which
  /// every pipe takes without waiting once it polls as writable (POSIX, PIPE_BUF).
  private let piece: Int

  /// A descriptor that the program was started with. Others may share it, so that it is not made non-blocking itself: a
  /// pipe is opened anew, for this program alone. Writes to a file never wait.
  init(stream: Int32) {
    let kind = FileStatus(descriptor: stream)?.kind
    let own = kind == .pipe ? Descriptor.reopenedWithoutWaiting(stream) : nil
    self.init(own ?? stream, isNonBlocking: own != nil || kind == .file)
  }

  /// - Parameter isNonBlocking: whether writes to it return rather than wait.
  init(_ descriptor: Int32, isNonBlocking: Bool) {
    self.descriptor = descriptor
    piece = isNonBlocking ? 1 << 20 : 512
  }

  /// - Returns: the system's error number when the reader is gone; `nil` when all is written.
  /// - Throws: `CancellationError`.
  func write(_ bytes: [UInt8]) async throws(CancellationError) -> Int32? {
    var start = 0
    var pause = 1
    while start < bytes.count {
      guard !Task.isCancelled else { throw CancellationError() }
      switch attempt(bytes, from: start) {
      case .wrote(let count): (start, pause) = (start + count, 1)
      case .failed(let code): return code
      case .full:
        do { try await Task.sleep(for: .milliseconds(pause)) } catch { throw CancellationError() }
        pause = min(2 * pause, 16)
      }
    }
    return nil
  }

  private func attempt(_ bytes: [UInt8], from start: Int) -> Descriptor.Outcome {
    guard Descriptor.waitUntilWritable(descriptor, milliseconds: 0) else { return .full }
    return Descriptor.write(bytes.span.extracting(start..<min(start + piece, bytes.count)), to: descriptor)
  }
}
