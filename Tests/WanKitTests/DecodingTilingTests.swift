import Tensors
import Testing
import WanKit
import WanModels

/// Tiles are chosen by what decoding takes.
struct DecodingTilingTests {
  /// As the processor's.
  private static let traits = BackendTraits(
    memory: .host, precisions: [.bf16], usesWeightsInPlace: true, overhead: .init(scratch: 192 << 20, kept: 512 << 20))

  private func total(_ latents: Shape, _ precision: Precision, _ tiling: VAETiling) -> Int {
    VAEDecodingEstimate(.wan22, latents: latents, precision: precision, tiling: tiling).total
  }

  @Test("small clips are decoded whole", arguments: Precision.allCases)
  func small(precision: Precision) {
    for latents: Shape in [[48, 5, 16, 16], [48, 21, 22, 40], [48, 1, 1, 1]] {
      #expect(VAETiling.chosen(for: .wan22, latents: latents, precision: precision, on: Self.traits) == .whole)
    }
    #expect(VAETiling.chosen(for: .wan21, latents: [16, 21, 60, 104], precision: precision, on: Self.traits) == .whole)
  }

  @Test(
    "121 frames of 1280x704 are decoded in tiles within little memory, for more work",
    arguments: [(6.0, 1.3), (5, 1.6), (4, 3.2)])
  func large(gibibytes: Double, factor: Double) {
    let latents: Shape = [48, 31, 44, 80]
    let budget = Int(gibibytes * Double(1 << 30))
    let tiling = VAETiling.chosen(for: .wan22, latents: latents, precision: .bf16, on: Self.traits, budget: budget)
    #expect(tiling.count > 1)
    #expect(total(latents, .bf16, tiling) < budget)
    let work = [tiling, .whole].map {
      VAEDecodingEstimate(.wan22, latents: latents, precision: .bf16, tiling: $0).work
    }
    #expect(work[0] < factor * work[1])
  }

  @Test("decoding may take what was asked for, or most of what is free")
  func limits() {
    let gibibyte = 1 << 30
    #expect(VAETiling.budget(.bf16) == 4 * gibibyte)
    #expect(VAETiling.budget(.bf16, within: .init(3 * gibibyte, .asked)) == 3 * gibibyte)
    #expect(VAETiling.budget(.bf16, within: .init(16 * gibibyte, .free)) == 12 * gibibyte)
    #expect(VAETiling.budget(.bf16, within: .init(5 * gibibyte, .free)) == 4 * gibibyte)
    #expect(VAETiling.budget(.f32, within: .init(5 * gibibyte, .free)) == 5 * gibibyte)
  }

  @Test("a smaller budget asks for more tiles, and the smallest tiles answer one that cannot be kept")
  func budgets() {
    let latents: Shape = [48, 9, 44, 80]
    var last = VAETiling.whole
    for gibibytes in [8.0, 6, 4, 3.5] {
      let budget = Int(gibibytes * Double(1 << 30))
      let tiling = VAETiling.chosen(for: .wan22, latents: latents, precision: .bf16, on: Self.traits, budget: budget)
      #expect(tiling.count >= last.count)
      #expect(total(latents, .bf16, tiling) <= budget)
      last = tiling
    }
    #expect(
      VAETiling.chosen(for: .wan22, latents: latents, precision: .bf16, on: Self.traits, budget: 1 << 20).count
        > last.count)
  }
}
