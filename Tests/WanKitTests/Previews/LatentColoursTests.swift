import Foundation
import Media
import Tensors
import TestSupport
import Testing
import WanModels

@testable import WanKit

/// Latents to colours by a linear map, and how such a map is found.
struct LatentColoursTests {
  private struct Published: Decodable {
    let factors: [[Float]]
    let bias: [Float]
  }

  @Test("the published maps are those of the published file", arguments: [("wan2.1", 16), ("wan2.2", 48)])
  func published(name: String, channels: Int) throws {
    let data = try Golden.data(Golden.bundledFolder + "/formats/preview.json")
    let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let part = try JSONSerialization.data(withJSONObject: #require(object[name]))
    let golden = try JSONDecoder().decode(Published.self, from: part)
    let colours = try #require(LatentColours.published(channels: channels))
    #expect(colours.factors == golden.factors.flatMap { $0 } && colours.bias == golden.bias)
    #expect(LatentColours.published(channels: channels + 1) == nil)
  }

  /// Bytes that Python's float64 gives for latents [C, 2, 2, 3] of ((37 channel + 11 index) mod 41 - 20) / 10.
  private static let golden: [(Int, [UInt8])] = [
    (
      16,
      [
        120, 65, 0, 255, 239, 150, 169, 255, 143, 0, 0, 70, 156, 85, 64, 99, 154, 46, 184, 255, 193, 0, 0, 97, 163, 19,
        11, 95, 255, 131, 177, 182, 136, 42, 0, 62,
      ]
    ),
    (
      48,
      [
        206, 102, 123, 255, 255, 255, 42, 34, 0, 32, 34, 53, 119, 116, 136, 255, 255, 255, 17, 25, 0, 58, 9, 50, 124,
        165, 175, 238, 224, 255, 33, 0, 0, 157, 69, 136,
      ]
    ),
  ]

  @Test("pictures are what the published factors give", arguments: golden)
  func pictures(channels: Int, bytes: [UInt8]) throws {
    let area = 12
    let values = (0..<channels * area).map { i in Float((i / area * 37 + i * 11) % 41 - 20) / 10 }
    let colours = try #require(LatentColours.published(channels: channels))
    let pictures = colours.pictures(of: Tensor(values, shape: [channels, 2, 2, 3]))
    #expect(pictures.map { [$0.width, $0.height] } == [[3, 2], [3, 2]])
    #expect(pictures.flatMap(\.pixels) == bytes)
  }

  @Test("numbers that are none become black, and nothing traps")
  func extremes() {
    let colours = LatentColours(factors: [1, 1, 1], bias: [0, 0, 0])
    let values: [Float] = [.nan, .infinity, -.infinity, 3e38, -3e38, 0]
    let picture = colours.pictures(of: Tensor(values, shape: [1, 1, 1, 6]))[0]
    #expect(stride(from: 0, to: 18, by: 3).map { picture.pixels[$0] } == [0, 255, 0, 255, 0, 127])
  }

  /// Samples of a known map of 5 values to 3 results; the fourth value never changes, the fifth is twice the first.
  private func samples(_ count: Int, noise: Double, seed: UInt64) -> LeastSquares {
    var random = SeededGenerator(seed: seed)
    var fit = LeastSquares(inputs: 5, outputs: 3)
    for _ in 0..<count {
      let x = (0..<3).map { _ in Double(random.normal()) }
      let results = (0..<3).map { k in
        0.25 * Double(k) + x[0] * 0.5 - x[1] * Double(k) + x[2] * 0.125 + noise * Double(random.normal())
      }
      fit.add(x + [7, 2 * x[0]], results)
    }
    return fit
  }

  @Test("least squares finds a map that there is, and says how much it explains")
  func leastSquares() {
    let exact = samples(400, noise: 0, seed: 1)
    let map = exact.solution()
    let quality = samples(400, noise: 0, seed: 2).quality(of: map)
    #expect(quality.explained > 0.999_999 && quality.residual < 1e-4, "\(quality)")
    for k in 0..<3 {
      // What the first and the fifth value add together, and the constants.
      #expect(abs(map.factors[k] + 2 * map.factors[12 + k] - 0.5) < 1e-4)
      #expect(abs(map.factors[3 + k] + Double(k)) < 1e-4 && abs(map.factors[6 + k] - 0.125) < 1e-4)
      #expect(abs(map.bias[k] + 7 * map.factors[9 + k] - 0.25 * Double(k)) < 1e-4)
    }
    let noisy = samples(4000, noise: 0.5, seed: 3).solution()
    let noise = samples(4000, noise: 0.5, seed: 4).quality(of: noisy)
    #expect(abs(noise.residual - 0.5) < 0.02, "\(noise)")
    #expect(noise.explained > 0.75 && noise.explained < 0.95, "\(noise)")
  }

  @Test("the clips of a fit are always the same, and of many colours")
  func clips() {
    let clips = FitClips(count: 5, frames: 3, height: 16, width: 24)
    let (one, again) = (clips.clip(0).floats(), clips.clip(0).floats())
    #expect(one == again && one != clips.clip(1).floats())
    #expect(clips.clip(0).shape == [3, 3, 16, 24] && one.allSatisfy { (-1...1).contains($0) })
    #expect(Set(one).count > 200 && Set(clips.clip(4).floats()).count == 3)
  }
}
