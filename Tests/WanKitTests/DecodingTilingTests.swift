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

  @Test("121 frames of 1280x704 are decoded in tiles within four gibibytes, for a quarter more work")
  func large() {
    let latents: Shape = [48, 31, 44, 80]
    let tiling = VAETiling.chosen(for: .wan22, latents: latents, precision: .bf16, on: Self.traits)
    #expect(tiling.count > 1)
    #expect(total(latents, .bf16, tiling) < VAETiling.budget(.bf16))
    let work = [tiling, .whole].map {
      VAEDecodingEstimate(.wan22, latents: latents, precision: .bf16, tiling: $0).work
    }
    #expect(work[0] < 1.3 * work[1])
  }

  @Test("a smaller budget asks for more tiles, and the smallest tiles answer one that cannot be kept")
  func budgets() {
    let latents: Shape = [48, 9, 44, 80]
    var last = VAETiling.whole
    for gibibytes in [8.0, 4, 3, 2.5] {
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
