import Files

/// Takes frames one after the other and makes a file of them inside a partial folder.
protocol FrameEncoder: Sendable {
  /// Returns when the frame is handed on, so that the caller cannot run ahead of the encoder.
  func write(_ frame: RGBImage) async throws(MediaError)
  /// Returns when every file is complete.
  func finish() async throws(MediaError)
  /// Stops at once; nothing is waited for.
  func abandon()
  /// Returns when nothing touches the partial folder any more.
  func ended() async
}

/// Writes YUV4MPEG2 without ffmpeg: 8-bit 4:4:4 planes, BT.601 in limited range, which is what readers assume of the
/// format, since it has no tag for the matrix.
actor Y4MEncoder: FrameEncoder {
  /// Where the bytes go.
  enum Sink: Sendable {
    case file(OutputStreamFile)
    case stream(PipeWriter)
  }

  private let sink: Sink
  private let path: String
  private var header: [UInt8]?

  /// - Parameter header: nil where it is written already.
  init(_ sink: Sink, header: [UInt8]?, path: String) {
    (self.sink, self.header, self.path) = (sink, header, path)
  }

  /// What a clip begins with.
  static func header(_ settings: ClipSettings) -> [UInt8] {
    let rate = settings.frameRate
    let text =
      "YUV4MPEG2 W\(settings.width) H\(settings.height) F\(rate.numerator):\(rate.denominator) Ip A1:1 C444"
      + " XYSCSS=444 XCOLORRANGE=LIMITED\n"
    return Array(text.utf8)
  }

  /// Bytes of a whole clip, but for its header.
  static func byteCount(_ settings: ClipSettings) -> Int {
    settings.frameCount * (frameHeader.count + 3 * settings.width * settings.height)
  }

  func write(_ frame: RGBImage) async throws(MediaError) {
    let start = header ?? []
    header = nil
    try await append(start + Self.frameHeader + Self.planes(frame))
  }

  func finish() async throws(MediaError) {
    guard case .file(let file) = sink else { return }
    do { try file.close() } catch { throw .cannotWrite(path: path, reason: error.description) }
  }

  nonisolated func abandon() {}

  func ended() async {
    if case .file(let file) = sink { try? file.close() }
  }

  private func append(_ bytes: [UInt8]) async throws(MediaError) {
    switch sink {
    case .file(let file):
      do { try file.write(bytes.span) } catch { throw .cannotWrite(path: path, reason: error.description) }
    case .stream(let writer):
      let code: Int32?
      do { code = try await writer.write(bytes) } catch { throw .cancelled(path: path) }
      if let code { throw .cannotWrite(path: path, reason: systemReason(code)) }
    }
  }

  private static let frameHeader = Array("FRAME\n".utf8)

  /// The Y, Cb and Cr planes (ITU-R BT.601, 16...235 and 16...240), in 16.16 fixed point, rounded.
  static func planes(_ frame: RGBImage) -> [UInt8] {
    let area = frame.width * frame.height
    var out = [UInt8](repeating: 0, count: 3 * area)
    for i in 0..<area {
      let red = Int(frame.pixels[3 * i])
      let green = Int(frame.pixels[3 * i + 1])
      let blue = Int(frame.pixels[3 * i + 2])
      out[i] = UInt8((16_829 * red + 33_039 * green + 6_416 * blue + 32_768) >> 16 + 16)
      out[area + i] = UInt8((-9_714 * red - 19_070 * green + 28_784 * blue + 32_768) >> 16 + 128)
      out[2 * area + i] = UInt8((28_784 * red - 24_103 * green - 4_681 * blue + 32_768) >> 16 + 128)
    }
    return out
  }
}
