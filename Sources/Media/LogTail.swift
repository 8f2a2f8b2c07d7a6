import Subprocess

/// The end of what a process wrote to its standard error: a bounded number of bytes, however much it wrote.
struct LogTail: Sendable {
  private static let limit = 4096
  private static let lineLimit = 6
  private var bytes: [UInt8] = []

  init() {}

  /// Reads to the end; a broken pipe ends the log early.
  init(reading stream: SubprocessOutputSequence) async {
    do {
      for try await buffer in stream { append(Array(buffer)) }
    } catch {
      return
    }
  }

  mutating func append(_ more: [UInt8]) {
    bytes += more.suffix(Self.limit)
    if bytes.count > 2 * Self.limit { bytes.removeFirst(bytes.count - Self.limit) }
  }

  /// The last lines, printable characters only.
  var lines: [String] {
    let text = String(decoding: bytes.suffix(Self.limit), as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline).map { line in
      String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.properties.generalCategory != .control }))
    }
    return lines.filter { !$0.isEmpty }.suffix(Self.lineLimit)
  }
}

extension Array<UInt8> {
  init(_ buffer: SubprocessOutputSequence.Buffer) {
    // The pointer is used within the closure only.
    self = unsafe buffer.withUnsafeBytes { unsafe Array($0) }
  }
}
