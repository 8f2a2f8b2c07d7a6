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
    private(set) var ending: Tensor?

    func encode(_ given: EncodedFrames) -> Tensor {
      (video, greyFrames, ending) = (given.frames, given.grey, given.ending)
      let frames = (given.frames.shape[1] + given.grey + (given.ending?.shape[1] ?? 0) - 1) / 4 + 1
      return Tensor((0..<2 * frames * 4).map(Float.init), shape: [2, frames, 2, 2])
    }
  }

  private let latents = Tensor((0..<16).map { Float(100 + $0) }, shape: [2, 2, 2, 2])
  private let backend = ReferenceBackend()

  private func first(_ image: RGBImage) throws -> KnownPictures {
    try #require(KnownPictures(leading: [image], last: nil))
  }

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
    let conditioning = Conditioning(try first(image), as: .channels, clip: clip, timeStride: 4, encode: encoder.encode)
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
    let conditioning = Conditioning(
      try first(image), as: .firstFrame, clip: clip, timeStride: 4, encode: encoder.encode)
    let video = try #require(encoder.video)
    #expect(video.shape == [3, 1, 16, 16] && encoder.greyFrames == 0)
    #expect(video.floats() == image.centerCropped(width: 16, height: 16).planar().values)
    #expect(conditioning.input(latents, backend).floats() == latents.floats())
    let held = conditioning.holding(latents).floats()
    #expect(held == [0, 1, 2, 3, 104, 105, 106, 107, 4, 5, 6, 7, 112, 113, 114, 115])
    #expect(
      conditioning.timesteps(7, grid: TokenGrid(time: 2, height: 1, width: 1)) == TokenTimesteps(perToken: [0, 7]))
  }

  /// A grey picture of the clip's size.
  private func grey(_ value: UInt8) -> RGBImage {
    RGBImage(width: 16, height: 16, pixels: Array(repeating: value, count: 768))
  }

  private func mean(_ x: Tensor) -> Float { x.floats().reduce(0, +) / Float(x.shape.count) }

  @Test("I2V-A14B: the mask is 1 for each frame that is known, the last one alone in its latent frame")
  func lastFrame() throws {
    let clip: Shape = [3, 9, 16, 16]
    for (leading, last) in [(1, true), (0, true), (5, false), (5, true)] {
      let encoder = Encoder()
      let pictures = try #require(
        KnownPictures(leading: (0..<leading).map { grey(UInt8($0)) }, last: last ? grey(200) : nil))
      let conditioning = Conditioning(pictures, as: .channels, clip: clip, timeStride: 4, encode: encoder.encode)
      let video = try #require(encoder.video)
      #expect(video.shape == [3, leading, 16, 16] && encoder.greyFrames == 9 - leading - (last ? 1 : 0))
      for frame in 0..<leading {
        let value = (Float(frame) / 255 - 0.5) / 0.5
        #expect((0..<3).allSatisfy { abs(video[$0].floats()[frame * 256 + 7] - value) < 1e-6 })
      }
      let end: Float = (200.0 / 255 - 0.5) / 0.5
      #expect(encoder.ending.map { abs(mean($0) - end) < 1e-4 } ?? !last)
      // As the published pipelines make it: one number for each frame, the first one's four times, cut into fours.
      var perFrame = (0..<9).map { frame -> Float in frame < leading || last && frame == 8 ? 1 : 0 }
      perFrame = Array(repeating: perFrame[0], count: 4) + perFrame.dropFirst()
      guard case .channels(let mask, _) = conditioning else {
        Issue.record("not of channels"); return
      }
      #expect(mask.shape == [4, 3, 2, 2])
      for (channel, frame) in (0..<4).flatMap({ c in (0..<3).map { (c, $0) } }) {
        let values = mask[channel][frame].floats()
        #expect(values == Array(repeating: perFrame[4 * frame + channel], count: 4), "\(leading) \(last)")
      }
    }
  }

  @Test("TI2V: any latent frames at the beginning and the last one are held, and their tokens are at zero")
  func heldFrames() throws {
    let clip: Shape = [3, 13, 16, 16]
    let latents = Tensor((0..<32).map { Float(100 + $0) }, shape: [2, 4, 2, 2])
    let encoder = Encoder()
    let pictures = try #require(KnownPictures(leading: (0..<5).map { grey($0) }, last: grey(9)))
    let conditioning = Conditioning(pictures, as: .firstFrame, clip: clip, timeStride: 4, encode: encoder.encode)
    // The last call was for a clip that stands still, whose second latent frame is taken.
    let still = try #require(encoder.video)
    #expect(still.shape == [3, 5, 16, 16] && Set(still.floats()).count == 1)
    var expected: [Float] = []
    for channel in 0..<2 {
      let encoded = (0..<8).map { (i: Int) -> Float in Float(channel * 8 + i) }
      let free = (0..<4).map { (i: Int) -> Float in Float(108 + channel * 16 + i) }
      expected += encoded + free + encoded.suffix(4)
    }
    #expect(conditioning.holding(latents).floats() == expected)
    let timesteps = conditioning.timesteps(7, grid: TokenGrid(time: 4, height: 1, width: 2))
    #expect(timesteps == TokenTimesteps(perToken: [0, 0, 0, 0, 7, 7, 0, 0]))
  }
}
