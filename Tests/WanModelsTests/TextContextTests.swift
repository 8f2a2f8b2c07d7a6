import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@testable import WanModels

struct TextContextTests {
  @Test("one row stands for a prompt's padding, weighted by its logarithm")
  func keyBias() {
    let bias = TextContext.keyBias(lengths: [3, 1], paddedTo: 12)
    #expect(bias.shape == [2, 4])
    #expect(
      bias.floats() == [0, 0, 0, Float(log(9.0)), 0, Float(log(11.0)), -.infinity, -.infinity])
  }

  @Test("a prompt that fills all rows has no padding")
  func full() {
    #expect(TextContext.keyBias(lengths: [4], paddedTo: 4).floats() == [0, 0, 0, 0])
    #expect(TextContext.keyBias(lengths: [4, 3], paddedTo: 4).floats() == [0, 0, 0, 0, 0, 0, 0, 0])
    #expect(TextContext.rowCount(lengths: [4, 3], paddedTo: 4) == 4)
    #expect(TextContext.keyBias(lengths: [0], paddedTo: 5).floats() == [Float(log(5.0))])
  }

  @Test("the short context gives what all padded rows give", arguments: [0, 1, 5, 11, 12])
  func padding(length: Int) throws {
    let model = try SmallModels.transformer()
    let c = SmallModels.transformerConfiguration
    let prompt = Tensor.random([length, c.textDimension], seed: 20)
    let padded = Tensor(
      prompt.floats() + Array(repeating: 0, count: (c.textLength - length) * c.textDimension),
      shape: [c.textLength, c.textDimension])
    let other = Tensor.random([3, c.textDimension], seed: 21)
    let short = try velocities(model, [prompt, other])
    let long = try velocities(model, [padded, other])
    #expect(relativeError(short[0], long[0]) <= 1e-5)
    #expect(relativeError(short[1], long[1]) <= 1e-5)
  }

  private func velocities(_ model: WanTransformer, _ prompts: [Tensor]) throws -> [Tensor] {
    let latents = Tensor.random([4, 2, 4, 6], seed: 22)
    let grid = TokenGrid(latents: latents.shape)
    return try model(
      latents, timesteps: TokenTimesteps(700, tokens: 12),
      rotary: RotaryTable(headDimension: 12, grid: grid, on: ReferenceBackend()),
      context: model.context(prompts))
  }
}
