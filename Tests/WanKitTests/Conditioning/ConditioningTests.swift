import Layers
import Media
import Tensors
import Testing
import WanModels

@testable import WanKit

@Suite("Conditioning") struct ConditioningTests {
  /// 32 x 16 pixels, each channel a ramp.
  private let image = RGBImage(width: 32, height: 16, pixels: (0..<32 * 16 * 3).map { UInt8($0 / 6) })
  /// Five frames of 16 x 16.
  private let clip: Shape = [3, 5, 16, 16]

  /// In place of an autoencoder: gives latents [2, T, 2, 2] that count up, and keeps what it was given.
  private final class Encoder {
    private(set) var video: Tensor?
    private(set) var greyFrames: Int?

    func encode(_ video: Tensor, greyFrames: Int) -> Tensor {
      (self.video, self.greyFrames) = (video, greyFrames)
      let frames = (video.shape[1] + greyFrames - 1) / 4 + 1
      return Tensor((0..<2 * frames * 4).map(Float.init), shape: [2, frames, 2, 2])
    }
  }

  private let latents = Tensor((0..<16).map { Float(100 + $0) }, shape: [2, 2, 2, 2])
  private let backend = ReferenceBackend()

  @Test("without an image the latents are the input, at one timestep")
  func none() {
    let conditioning = Conditioning.none
    #expect(conditioning.input(latents, backend).floats() == latents.floats())
    #expect(conditioning.holding(latents).floats() == latents.floats())
    #expect(conditioning.timesteps(7, grid: TokenGrid(time: 2, height: 1, width: 1)) == TokenTimesteps(7, tokens: 2))
  }

  @Test("I2V-A14B: mask and latents of the image before grey frames are joined to the channels")
  func channels() throws {
    let encoder = Encoder()
    let conditioning = Conditioning(image, as: .channels, clip: clip, timeStride: 4, encode: encoder.encode)
    let video = try #require(encoder.video)
    #expect(video.shape == [3, 1, 16, 16] && encoder.greyFrames == 4)
    #expect(video.floats() == image.planar().bicubicResized(width: 16, height: 16).values)
    let input = conditioning.input(latents, backend)
    #expect(input.shape == [8, 2, 2, 2])
    let mask: [Float] = [1, 1, 1, 1, 0, 0, 0, 0]
    #expect(input.floats() == latents.floats() + mask + mask + mask + mask + (0..<16).map(Float.init))
    #expect(conditioning.holding(latents).floats() == latents.floats())
    #expect(conditioning.timesteps(7, grid: TokenGrid(time: 2, height: 1, width: 1)) == TokenTimesteps(7, tokens: 2))
  }

  @Test("TI2V: the image's latents stand in the first latent frame, whose tokens are at zero")
  func firstFrame() throws {
    let encoder = Encoder()
    let conditioning = Conditioning(image, as: .firstFrame, clip: clip, timeStride: 4, encode: encoder.encode)
    let video = try #require(encoder.video)
    #expect(video.shape == [3, 1, 16, 16] && encoder.greyFrames == 0)
    #expect(video.floats() == image.centerCropped(width: 16, height: 16).planar().values)
    #expect(conditioning.input(latents, backend).floats() == latents.floats())
    let held = conditioning.holding(latents).floats()
    #expect(held == [0, 1, 2, 3, 104, 105, 106, 107, 4, 5, 6, 7, 112, 113, 114, 115])
    #expect(
      conditioning.timesteps(7, grid: TokenGrid(time: 2, height: 1, width: 1)) == TokenTimesteps(perToken: [0, 7]))
  }
}
