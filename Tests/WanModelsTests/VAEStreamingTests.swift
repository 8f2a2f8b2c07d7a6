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
    let vae = try SmallModels.made { WanVAE($0, configuration) }
    let latents = Tensor.random([3, 4, 2, 2], seed: 40)
    var decoding = vae.decoding(latents)
    var single: [Tensor] = []
    while let frames = try decoding.next(clamped: false) { single.append(frames) }
    let patch = configuration.patch
    #expect(single.map { $0.shape[0] } == [1, 4, 4, 4])
    #expect(single[0].shape == [1, 16 * patch, 16 * patch, 3])

    let decoder = try SmallModels.made { w in WholeVAE(w, configuration) }.decoder
    let z = backend.permuted(latents, [1, 2, 3, 0])
    let stream = CausalStream()
    let tile = VAETiling.whole.tiles(height: 2, width: 2, configuration)[0]
    var together = [decoder(z.slice(0..<1), tile, stream)]
    stream.isFirstChunk = false
    together.append(decoder(z.slice(1..<4), tile, stream))
    let expected = unpatchified(backend.concatenated(together), by: patch)
    #expect(relativeError(backend.concatenated(single), expected) <= 1e-5)
  }

  @Test("encoding frames together gives what four at a time gives", arguments: [false, true])
  func encoding(hasShortcuts: Bool) throws {
    let configuration = SmallModels.autoencoderConfiguration(hasShortcuts: hasShortcuts)
    let patch = configuration.patch
    let vae = try SmallModels.made { WanVAE($0, configuration) }
    let video = Tensor.random([3, 13, 16 * patch, 16 * patch], seed: 41)
    let streamed = try vae.encode(video)
    #expect(streamed.shape == [3, 4, 2, 2])

    let encoder = try SmallModels.made { w in WholeVAE(w, configuration) }.encoder
    let frames = patchified(backend.permuted(video, [1, 2, 3, 0]), by: patch)
    let stream = CausalStream()
    var together = [encoder(frames.slice(0..<1), stream)]
    stream.isFirstChunk = false
    together.append(encoder(frames.slice(1..<13), stream))
    let expected = backend.permuted(backend.concatenated(together), [3, 0, 1, 2])
    #expect(relativeError(streamed, expected) <= 1e-5)
  }

  @Test("a decoded frame does not depend on later latents")
  func causality() throws {
    let vae = try SmallModels.made { WanVAE($0, SmallModels.autoencoderConfiguration(hasShortcuts: true)) }
    let latents = Tensor.random([3, 3, 1, 2], seed: 42).floats()
    let short = Tensor((0..<3).flatMap { c in latents[c * 6..<c * 6 + 4] }, shape: [3, 2, 1, 2])
    var (a, b) = (vae.decoding(Tensor(latents, shape: [3, 3, 1, 2])), vae.decoding(short))
    for _ in 0..<2 {
      let (x, y) = (try #require(try a.next()), try #require(try b.next()))
      #expect(x.floats() == y.floats())
    }
    #expect(try b.next() == nil)
  }

  /// Both halves, asked for in the order of ``WanVAE``, so that random weights agree.
  private struct WholeVAE {
    let encoder: VAEEncoder
    let decoder: VAEDecoder

    init(_ w: Weights, _ configuration: VAEConfiguration) {
      encoder = VAEEncoder(w, configuration)
      decoder = VAEDecoder(w, configuration)
    }
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

  private func unpatchified(_ x: Tensor, by p: Int) -> Tensor {
    let (f, h, w) = (x.shape[0], x.shape[1], x.shape[2])
    let values = x.floats()
    return Tensor.filled(shape: [f, h * p, w * p, 3]) { span in
      for i in values.indices {
        let channel = i % (3 * p * p)
        let (c, dx, dy) = (channel / (p * p), channel / p % p, channel % p)
        let pixel = i / (3 * p * p)
        let (column, y, frame) = (pixel % w, pixel / w % h, pixel / (w * h))
        span[((frame * h * p + y * p + dy) * w * p + column * p + dx) * 3 + c] = values[i]
      }
    }
  }
}
