import Foundation

/// Writes YUV4MPEG2 without ffmpeg: 8-bit 4:4:4 planes, BT.601 in limited range, which is what readers assume of the
/// format, since it has no tag for the matrix.
actor Y4MEncoder: FrameEncoder {
  private let handle: FileHandle
  private let path: String

  /// - Parameter file: created or emptied.
  init(file: String, settings: ClipSettings, path: String) throws(MediaError) {
    let rate = settings.frameRate
    let header =
      "YUV4MPEG2 W\(settings.width) H\(settings.height) F\(rate.numerator):\(rate.denominator) Ip A1:1 C444"
      + " XYSCSS=444 XCOLORRANGE=LIMITED\n"
    guard FileManager.default.createFile(atPath: file, contents: Data(header.utf8)),
      let handle = FileHandle(forWritingAtPath: file)
    else { throw .cannotWrite(path: path, reason: "its file cannot be created") }
    self.handle = handle
    self.path = path
    do { try handle.seekToEnd() } catch { throw Self.failure(path, error) }
  }

  func write(_ frame: RGBImage) async throws(MediaError) {
    do {
      try handle.write(contentsOf: Data("FRAME\n".utf8))
      try handle.write(contentsOf: Data(Self.planes(frame)))
    } catch { throw Self.failure(path, error) }
  }

  func finish() async throws(MediaError) {
    do { try handle.close() } catch { throw Self.failure(path, error) }
  }

  nonisolated func abandon() {}

  func ended() async { try? handle.close() }

  private static func failure(_ path: String, _ error: any Error) -> MediaError {
    .cannotWrite(path: path, reason: "the disk did not take it all: \(error.localizedDescription)")
  }

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
