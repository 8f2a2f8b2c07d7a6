import CPUBackend
import Layers
import Tensors
import TestSupport
import Testing

@testable import WanModels

/// Frames go through in pieces; larger pieces give the same clip.
struct VAEStreamingTests {
  private let backend = CPUBackend(threads: 1)

  @Test("decoding latent frames together gives what one at a time gives", arguments: [false, true])
  func decoding(hasShortcuts: Bool) throws {
    let configuration = SmallModels.autoencoderConfiguration(hasShortcuts: hasShortcuts)
    let decoder = try SmallModels.made(VAEDecoder.self, configuration)
    let latents = Tensor.random([3, 4, 2, 2], seed: 40)
    var decoding = decoder.decoding(latents, values: .raw)
    var single: [Tensor] = []
    while let part = try decoding.next() { single.append(part.frames) }
    let patch = configuration.patch
    #expect(single.map { $0.shape[0] } == [1, 4, 4, 4])
    #expect(single[0].shape == [1, 16 * patch, 16 * patch, 3])

    let z = backend.permuted(latents, [1, 2, 3, 0])
    let stream = CausalStream()
    let tile = VAETiling.whole.tiles(height: 2, width: 2, configuration)[0]
    var together = [decoder.frames(z.slice(0..<1), tile, stream, .raw)]
    stream.isFirstChunk = false
    together.append(decoder.frames(z.slice(1..<4), tile, stream, .raw))
    #expect(relativeError(backend.concatenated(single), backend.concatenated(together)) <= 1e-5)
  }

  @Test("encoding frames together gives what four at a time gives", arguments: [false, true])
  func encoding(hasShortcuts: Bool) throws {
    let configuration = SmallModels.autoencoderConfiguration(hasShortcuts: hasShortcuts)
    let patch = configuration.patch
    let encoder = try SmallModels.made(VAEEncoder.self, configuration)
    let video = Tensor.random([3, 13, 16 * patch, 16 * patch], seed: 41)
    let streamed = try encoder(video)
    #expect(streamed.shape == [3, 4, 2, 2])

    let frames = patchified(backend.permuted(video, [1, 2, 3, 0]), by: patch)
    let stream = CausalStream()
    var together = [encoder.latents(frames.slice(0..<1), stream)]
    stream.isFirstChunk = false
    together.append(encoder.latents(frames.slice(1..<13), stream))
    let expected = backend.permuted(backend.concatenated(together), [3, 0, 1, 2])
    #expect(relativeError(streamed, expected) <= 1e-5)
  }

  @Test("grey frames that nobody gives are frames of zeros", arguments: [1, 3, 5])
  func greyFrames(given: Int) throws {
    let configuration = SmallModels.autoencoderConfiguration(hasShortcuts: false)
    let encoder = try SmallModels.made(VAEEncoder.self, configuration)
    let side = 16 * configuration.patch
    let video = Tensor.random([3, given, side, side], seed: 43)
    // [3, F, H, W] is joined along its frames by way of [F, 3, H, W].
    let frames = backend.permuted(video, [1, 0, 2, 3])
    let whole = backend.concatenated([frames, backend.zeros([9 - given, 3, side, side], dtype: .f32)])
    let expected = try encoder(backend.permuted(whole, [1, 0, 2, 3]))
    #expect(try encoder(video, greyFrames: 9 - given).floats() == expected.floats())
  }

  @Test("frames go through the wide levels one by one, and no bit changes", arguments: [false, true])
  func framewise(hasShortcuts: Bool) throws {
    let configuration = SmallModels.autoencoderConfiguration(hasShortcuts: hasShortcuts)
    let encoder = try SmallModels.made(VAEEncoder.self, configuration)
    let (side, channels) = (16, 3 * configuration.patch * configuration.patch)
    let frames = Tensor.random([9, side, side, channels], seed: 44)
    func latents(piece: Int) -> [[Float]] {
      let stream = CausalStream()
      return [0..<1, 1..<5, 5..<9].map { range in
        defer { stream.isFirstChunk = false }
        return encoder.latents(frames.slice(range), stream, piece: piece).floats()
      }
    }
    let isSame = latents(piece: 0) == latents(piece: .max)
    #expect(isSame)
  }

  @Test("a decoded frame does not depend on later latents")
  func causality() throws {
    let decoder = try SmallModels.made(
      VAEDecoder.self, SmallModels.autoencoderConfiguration(hasShortcuts: true))
    let latents = Tensor.random([3, 3, 1, 2], seed: 42).floats()
    let short = Tensor((0..<3).flatMap { c in latents[c * 6..<c * 6 + 4] }, shape: [3, 2, 1, 2])
    var (a, b) = (decoder.decoding(Tensor(latents, shape: [3, 3, 1, 2])), decoder.decoding(short))
    for _ in 0..<2 {
      let (x, y) = (try #require(try a.next()), try #require(try b.next()))
      #expect(x.frames.floats() == y.frames.floats())
    }
    #expect(try b.next() == nil)
  }

  /// [F, H, W, 3] -> [F, H/p, W/p, 3 p p], channels ordered (channel, column, row), written out pixel by pixel.
  private func patchified(_ x: Tensor, by p: Int) -> Tensor {
    let (f, h, w) = (x.shape[0], x.shape[1] / p, x.shape[2] / p)
    let values = x.floats()
    var result: [Float] = []
    for frame in 0..<f {
      for y in 0..<h {
        for column in 0..<w {
          for i in 0..<3 * p * p {
            let (c, dx, dy) = (i / (p * p), i / p % p, i % p)
            result.append(values[((frame * h * p + y * p + dy) * w * p + column * p + dx) * 3 + c])
          }
        }
      }
    }
    return Tensor(result, shape: [f, h, w, 3 * p * p])
  }
}
