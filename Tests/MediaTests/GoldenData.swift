import Foundation
import Media
import Testing

/// The golden folder, or the one that WAN_GOLDEN names.
let goldenFolder: URL =
  ProcessInfo.processInfo.environment["WAN_GOLDEN"].map { URL(fileURLWithPath: $0) }
  ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("Golden")

let ffmpegForTests: FFmpeg? = try? FFmpeg.locate(searchPath: ProcessInfo.processInfo.environment["PATH"])

func requireFFmpeg() throws -> FFmpeg {
  try #require(ffmpegForTests, "these tests need ffmpeg: apt install ffmpeg")
}

/// The float32 tensors of a safetensors file.
struct GoldenTensors {
  private struct Entry: Decodable {
    let shape: [Int]
    let data_offsets: [Int]
  }

  private let entries: [String: Entry]
  private let data: [UInt8]

  init(_ url: URL) throws {
    let bytes = [UInt8](try Data(contentsOf: url))
    let headerSize = bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    entries = try JSONDecoder().decode([String: Entry].self, from: Data(bytes[8..<8 + headerSize]))
    data = Array(bytes[(8 + headerSize)...])
  }

  func floats(_ name: String) throws -> (shape: [Int], values: [Float]) {
    let entry = try #require(entries[name])
    let part = data[entry.data_offsets[0]..<entry.data_offsets[1]]
    let values = stride(from: part.startIndex, to: part.endIndex, by: 4).map { start in
      Float(bitPattern: part[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
    return (entry.shape, values)
  }
}

/// The L2 norm of the difference over that of the expectation.
func relativeError(_ values: [Float], _ expected: [Float]) -> Double {
  guard values.count == expected.count else { return .infinity }
  let difference = zip(values, expected).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
  return (difference / expected.reduce(0.0) { $0 + Double($1 * $1) }).squareRoot()
}

/// A smooth picture with some detail, the same for the same arguments.
func testImage(width: Int, height: Int, phase: Int = 0) -> RGBImage {
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      let wave = (x * 7 + y * 3 + phase * 11) % 64
      pixels += [
        UInt8((x * 200 / width + wave / 2) & 255), UInt8((y * 200 / height + 40) & 255),
        UInt8(((x + y) * 120 / (width + height) + phase * 5) & 255),
      ]
    }
  }
  return RGBImage(width: width, height: height, pixels: pixels)
}
