import Foundation
import TestSupport
import Testing

@testable import Media

/// One file of Tests/Fixtures/pictures and what is to come of it.
struct PictureSample: Decodable, Sendable, CustomTestStringConvertible {
  let file: String
  /// The picture that Pillow shows.
  var expected: String?
  /// How far a channel may stray from it.
  var tolerance: Int?
  /// Words of the refusal.
  var refused: String?

  var testDescription: String { file }

  static let folder = URL(fileURLWithPath: Golden.fixturesFolder + "/pictures")

  static let all: [PictureSample] = {
    let data = try? Data(contentsOf: folder.appendingPathComponent("manifest.json"))
    return data.flatMap { try? JSONDecoder().decode([PictureSample].self, from: $0) } ?? []
  }()

  var path: String { Self.folder.appendingPathComponent(file).path }

  func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
}

/// The ffmpeg on the path, and a current one where the environment names it: an old and a new one decode alike.
let testedFFmpegs: [FFmpeg] =
  [
    ffmpegForTests,
    ProcessInfo.processInfo.environment["WAN_TEST_FFMPEG"].flatMap { try? FFmpeg.locate($0, searchPath: nil) },
  ]
  .compactMap(\.self)

// One after another: each starts an ffmpeg.
@Suite("Pictures of every kind", .serialized) struct PictureTests {
  static let readable = PictureSample.all.filter { $0.refused == nil }

  @Test("the samples are there")
  func samples() async throws {
    #expect(PictureSample.all.count > 150)
    // Expectations are PNGs, read by the same code: one is held against the plain bytes of the same picture.
    let plain = try #require(PictureSample.all.first { $0.file == "six.ppm" })
    let answer = try #require(plain.expected)
    let path = PictureSample.folder.appendingPathComponent("expected/" + answer).path
    let image = try await readImage(path: path, ffmpeg: requireFFmpeg())
    #expect(try image.pixels == plain.bytes().suffix(48 * 32 * 3))
  }

  @Test("the ffmpeg named by WAN_TEST_FFMPEG runs")
  func secondFFmpeg() {
    guard let name = ProcessInfo.processInfo.environment["WAN_TEST_FFMPEG"], !name.isEmpty else {
      print("WAN_TEST_FFMPEG names no second ffmpeg: pictures are read with the one on the path only")
      return
    }
    #expect(testedFFmpegs.count == 2, "\(name) is no ffmpeg")
  }

  @Test("a picture is what Pillow shows", arguments: readable, testedFFmpegs)
  func shown(_ sample: PictureSample, _ ffmpeg: FFmpeg) async throws {
    let answer = PictureSample.folder.appendingPathComponent("expected/" + (sample.expected ?? "")).path
    let expected = try await readImage(path: answer, ffmpeg: ffmpeg)
    let image = try await readImage(path: sample.path, ffmpeg: ffmpeg)
    try #require(image.width == expected.width && image.height == expected.height)
    let differences = zip(image.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }
    let (largest, mean) = (differences.max() ?? 0, Double(differences.reduce(0, +)) / Double(differences.count))
    #expect(largest <= sample.tolerance ?? 0, "largest \(largest), mean \(mean)")
    if ProcessInfo.processInfo.environment["WAN_TEST_PRINT"] != nil { print("@", sample.file, largest, mean) }
  }

  @Test("a file cut short is refused, unless its first picture is whole", arguments: readable, testedFFmpegs)
  func cut(_ sample: PictureSample, _ ffmpeg: FFmpeg) async throws {
    let bytes = try sample.bytes()
    for part in [bytes.count / 2, bytes.count * 9 / 10] {
      guard let image = try? await readImage(bytes: Array(bytes.prefix(part)), name: "cut", ffmpeg: ffmpeg) else {
        continue
      }
      #expect(try await image == readImage(path: sample.path, ffmpeg: ffmpeg), "\(part) of \(bytes.count) bytes")
    }
  }

  @Test("a picture that is not read is refused by its name", arguments: PictureSample.all.filter { $0.refused != nil })
  func refused(_ sample: PictureSample) async throws {
    let ffmpeg = try FFmpeg.thatFails
    let error = await #expect(throws: MediaError.self) { try await readImage(path: sample.path, ffmpeg: ffmpeg) }
    let words = "\(try #require(error))"
    #expect(words.contains(sample.refused ?? "?") && words.contains(sample.file), "\(words)")
  }
}

extension FFmpeg {
  /// Not an ffmpeg: whoever runs it fails.
  static var thatFails: FFmpeg {
    get throws { try FFmpeg.locate("/bin/false", searchPath: nil) }
  }
}
