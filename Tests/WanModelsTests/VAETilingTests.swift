import CPUBackend
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@testable import WanModels

/// Frames decoded in parts are the frames decoded whole.
struct VAETilingTests {
  private static let tilings = [
    VAETiling(rows: 2, columns: 1), VAETiling(rows: 1, columns: 3), VAETiling(rows: 3, columns: 2),
    VAETiling(rows: 5, columns: 7),
  ]

  /// The frames of a clip [F, H, W, 3], put together from the parts as they come.
  private func decoded(_ decoder: VAEDecoder, _ latents: Tensor, _ tiling: VAETiling) throws -> [Float] {
    var decoding = decoder.decoding(latents, tiling: tiling)
    let (frames, height, width) = decoding.extents
    var clip = [Float](repeating: .nan, count: frames * height * width * 3)
    while let part = try decoding.next() {
      let (values, row) = (part.frames.floats(), part.region.columns.count * 3)
      for line in 0..<part.frames.shape[0] * part.region.rows.count {
        let frame = part.first + line / part.region.rows.count
        let y = part.region.rows.lowerBound + line % part.region.rows.count
        let start = ((frame * height + y) * width + part.region.columns.lowerBound) * 3
        clip.replaceSubrange(start..<start + row, with: values[line * row..<(line + 1) * row])
      }
    }
    return clip
  }

  @Test(
    "tiles give the bits of the whole frames, at odd cuts and in all precisions", arguments: [false, true],
    Precision.allCases)
  func equality(hasShortcuts: Bool, precision: Precision) throws {
    let configuration = SmallModels.autoencoderConfiguration(hasShortcuts: hasShortcuts)
    let decoder = try SmallModels.made(VAEDecoder.self, configuration, precision)
    let latents = Tensor.random([3, 3, 5, 7], seed: 50)
    let whole = try decoded(decoder, latents, .whole)
    for tiling in Self.tilings { #expect(try decoded(decoder, latents, tiling) == whole, "\(tiling)") }
  }

  /// Kernels of so many channels are multiplied in squares of pixels; frames are wide enough for bands of few rows, and
  /// for tiles that end within.
  @Test("tiles give the bits of the whole frames where convolutions go in squares", arguments: Precision.allCases)
  func squares(precision: Precision) throws {
    let configuration = VAEConfiguration(
      widths: (4, 64), multipliers: [1, 1], temporal: [true], blocks: 1, latentChannels: 3, hasShortcuts: false)
    let decoder = try SmallModels.made(VAEDecoder.self, configuration, precision)
    let latents = Tensor.random([3, 2, 9, 264], seed: 52)
    let whole = try decoded(decoder, latents, .whole)
    for tiling in [VAETiling(rows: 1, columns: 3), VAETiling(rows: 2, columns: 4)] {
      #expect(try decoded(decoder, latents, tiling) == whole, "\(tiling)")
    }
  }

  @Test("the tiles of a frame cover each pixel once", arguments: [VAEConfiguration.wan21, .wan22])
  func cover(configuration: VAEConfiguration) {
    for tiling in Self.tilings + [.whole, VAETiling(rows: 11, columns: 13)] {
      let tiles = tiling.tiles(height: 11, width: 13, configuration)
      #expect(tiles.count == tiling.count)
      var hits = Array(repeating: 0, count: 88 * 104)
      for tile in tiles {
        for row in tile.output.rows { for column in tile.output.columns { hits[row * 104 + column] += 1 } }
        #expect(tile.head.rows.clamped(to: tile.output.rows) == tile.output.rows)
      }
      #expect(hits.allSatisfy { $0 == 1 })
    }
  }

  @Test("parts are counted, and a cancelled task decodes no other")
  func parts() async throws {
    let configuration = SmallModels.autoencoderConfiguration(hasShortcuts: true)
    let decoder = try SmallModels.made(VAEDecoder.self, configuration)
    let latents = Tensor.random([3, 3, 2, 2], seed: 51)
    let done = await Task { () -> Int in
      var decoding = decoder.decoding(latents, tiling: VAETiling(rows: 2, columns: 2))
      #expect(decoding.partCount == 12 && decoding.isTiled && decoding.partsDone == 0)
      #expect(throws: CancellationError.self) {
        while try decoding.next() != nil {
          if decoding.partsDone == 5 { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
        }
      }
      return decoding.partsDone
    }.value
    #expect(done == 5)
  }
}
