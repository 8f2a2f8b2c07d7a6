import Layers
import Tensors
import TestSupport
import Testing
import WanModels

struct TokenTimestepsTests {
  @Test("tokens share a row where they share a timestep")
  func rows() {
    let t = TokenTimesteps(perToken: [0, 0, 5, 5, 5, 0, 7])
    #expect(t.values == [0, 5, 7])
    #expect(
      t.runs == [.init(row: 0, count: 2), .init(row: 1, count: 3), .init(row: 0, count: 1), .init(row: 2, count: 1)])
    #expect(TokenTimesteps(perToken: [0, 0, 9, 9, 9, 9]).values == [0, 9])
    #expect(TokenTimesteps(9, tokens: 3) == TokenTimesteps(perToken: [9, 9, 9]))
    #expect(TokenTimesteps(0, tokens: 3) == TokenTimesteps(perToken: [0, 0, 0]))
    #expect(TokenTimesteps(perToken: []).runs.isEmpty)
  }

  @Test("two rows for a known first frame give what a row for every token gives")
  func perToken() throws {
    let model = try SmallModels.transformer()
    let latents = Tensor.random([4, 2, 4, 6], seed: 30)
    let rotary = RotaryTable(headDimension: 12, grid: TokenGrid(latents: latents.shape), on: ReferenceBackend())
    let context = try model.context([.random([3, 16], seed: 31)])
    // Timesteps that differ in the last bits only, so that no two tokens share a row.
    let known = (0..<6).map { Float($0) * 1e-6 }
    let distinct = known + (0..<6).map { 600 + Float($0) * 0x1p-14 }
    let shared = try model(
      latents, timesteps: TokenTimesteps(perToken: Array(repeating: 0, count: 6) + Array(repeating: 600, count: 6)),
      rotary: rotary, context: context)
    let each = TokenTimesteps(perToken: distinct)
    #expect(each.values.count == 12)
    let separate = try model(latents, timesteps: each, rotary: rotary, context: context)
    #expect(relativeError(shared[0], separate[0]) <= 1e-3)
    let uniform = try model(latents, timesteps: TokenTimesteps(600, tokens: 12), rotary: rotary, context: context)
    #expect(relativeError(shared[0], uniform[0]) > 1e-2)
  }
}
