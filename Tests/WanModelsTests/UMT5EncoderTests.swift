import Tensors
import TestSupport
import Testing
import WanModels

struct UMT5EncoderTests {
  private let configuration = TextEncoderConfiguration(
    vocabulary: 20, dimension: 8, attention: 12, feedForward: 16, layers: 2, heads: 2, buckets: 8)

  @Test("a prompt of any length gives a row per token", arguments: [1, 2, 130, 300])
  func lengths(count: Int) throws {
    let encoder = try SmallModels.made(UMT5Encoder.self, configuration)
    let ids = (0..<count).map { Int32($0 * 7 % 20) }
    let rows = try encoder(ids)
    #expect(rows.shape == [count, 8] && rows.dtype == .f32)
    #expect(rows.floats().allSatisfy { $0.isFinite })
  }

  @Test("the order of tokens matters")
  func order() throws {
    let encoder = try SmallModels.made(UMT5Encoder.self, configuration)
    let (a, b) = (try encoder([3, 5, 1]).floats(), try encoder([5, 3, 1]).floats())
    #expect(relativeError(a, b) > 1e-2)
    #expect(relativeError(Array(a[0..<8]), Array(b[8..<16])) > 1e-4)
  }
}
