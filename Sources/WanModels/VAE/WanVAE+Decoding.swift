// T latent frames of h x w, C latent channels; F frames of Hi x Wi.

import Layers
public import Tensors

extension WanVAE {
  /// The frames of normalised latents [C, T, h, w], one latent frame at a time.
  ///
  /// - Parameter tiling: the parts that frames are decoded in; more of them need less memory and more time.
  public func decoding(_ latents: Tensor, tiling: VAETiling = .whole) -> Decoding {
    Decoding(vae: self, latents: denormalised(latents), tiling: tiling)
  }

  /// A clip being decoded: 1 frame for the first latent frame, 4 for each later one.
  ///
  /// In one piece frames come as they are made. In tiles, every tile goes through the whole clip before the first
  /// frame comes, since the past that the convolutions keep is what takes the memory.
  public struct Decoding {
    private let vae: WanVAE
    private let latents: Tensor  // [T, h, w, C]
    private let tiles: [VAETile]
    private let stream = CausalStream()
    private var position = 0
    private var video: VideoBuffer?

    fileprivate init(vae: WanVAE, latents: Tensor, tiling: VAETiling) {
      (self.vae, self.latents) = (vae, latents)
      tiles = tiling.tiles(height: latents.shape[1], width: latents.shape[2], vae.configuration)
    }

    /// The next frames [n, Hi, Wi, 3] float32, or `nil` after the last.
    ///
    /// - Parameters:
    ///   - clamped: whether values are held inside [-1, 1], as published; from tiles they always are.
    ///   - onPart: called after each latent frame of each tile, with how many are done and how many there are.
    /// - Throws: `CancellationError` when the task is cancelled.
    public mutating func next(
      clamped: Bool = true, onPart: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) throws -> Tensor? {
      guard position < latents.shape[0] else { return nil }
      try Task.checkCancellation()
      defer { position += 1 }
      if tiles.count > 1 {
        if video == nil { video = try filled(onPart) }
        return video?.frames(frames(of: position))
      }
      let frames = part(position, tiles[0], stream)
      return clamped ? frames.clamped(to: -1...1) : frames
    }

    /// One tile after the other through the whole clip.
    private func filled(_ onPart: (Int, Int) -> Void) throws -> VideoBuffer {
      let (count, space) = (latents.shape[0], vae.configuration.stride.space)
      var video = VideoBuffer(
        frames: frames(of: count - 1).upperBound, height: latents.shape[1] * space, width: latents.shape[2] * space)
      for (index, tile) in tiles.enumerated() {
        let stream = CausalStream()
        for position in 0..<count {
          try Task.checkCancellation()
          video.write(
            part(position, tile, stream), first: frames(of: position).lowerBound,
            at: tile.output.scaled(by: vae.configuration.patch))
          onPart(index * count + position + 1, tiles.count * count)
        }
      }
      return video
    }

    private func part(_ position: Int, _ tile: VAETile, _ stream: CausalStream) -> Tensor {
      defer { stream.isFirstChunk = false }
      return vae.frames(latents.slice(position..<position + 1), tile, stream)
    }

    /// The frames that a latent frame gives.
    private func frames(of position: Int) -> Range<Int> {
      let step = vae.configuration.stride.time
      return position == 0 ? 0..<1 : 1 + step * (position - 1)..<1 + step * position
    }
  }
}
