import Files
import Subprocess

/// The first line, where the cause tends to stand, and the last ones of what a process wrote to its standard error: a
/// bounded number of bytes, however much it wrote.
struct LogTail: Sendable {
  private static let limit = 4096
  private static let lineLimit = 6
  private var start: [UInt8] = []
  private var bytes: [UInt8] = []
  private var isCut = false

  /// Reads to the end; a broken pipe ends the log early.
  ///
  /// - Parameter process: meanwhile known as one that must not outlive the program.
  init(reading stream: SubprocessOutputSequence, of process: Int32) async {
    Leftovers.add(process: process)
    defer { Leftovers.forget(process: process) }
    do {
      for try await buffer in stream { append(Array(buffer)) }
    } catch {
      return
    }
  }

  private mutating func append(_ more: [UInt8]) {
    start += more.prefix(Self.limit / 4 - start.count)
    bytes += more
    if bytes.count > Self.limit {
      bytes.removeFirst(bytes.count - Self.limit)
      isCut = true
    }
  }

  /// Printable characters only; ffmpeg's notes on repetition are left out.
  var lines: [String] {
    let last = Self.split(bytes)
    if !isCut, last.count <= Self.lineLimit { return last }
    return Self.split(start).prefix(1) + last.suffix(Self.lineLimit - 1)
  }

  private static func split(_ bytes: [UInt8]) -> [String] {
    let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map { line in
      String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.properties.generalCategory != .control }))
    }
    // A library that the loader could not load beforehand (LD_PRELOAD) is no word of ffmpeg's.
    return lines.filter {
      !$0.isEmpty && !$0.contains("Last message repeated") && !$0.hasPrefix("ERROR: ld.so:")
    }
  }
}

extension Array<UInt8> {
  init(_ buffer: SubprocessOutputSequence.Buffer) {
    // The pointer is used within the closure only.
    self = unsafe buffer.withUnsafeBytes { unsafe Array($0) }
  }
}
