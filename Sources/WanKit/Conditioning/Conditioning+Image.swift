// F frames of H x W pixels; C latent channels, T latent frames of h x w.

import Media
import Tensors

extension Conditioning {
  /// An image prepared for a clip as the published pipeline of its model does, and encoded.
  ///
  /// - Parameters:
  ///   - kind: how the model takes images.
  ///   - profile: whose pipeline prepares it.
  ///   - clip: [3, F, H, W].
  ///   - timeStride: the frames of the clip that become one latent frame, 4 in every published model.
  ///   - encode: the autoencoder: a frame [3, 1, H, W] in [-1, 1], and as many grey ones after it as it is told, to their
  ///     latents [C, grey / timeStride + 1, h, w].
  /// - Throws: what `encode` throws.
  init(
    _ image: RGBImage, as kind: ConditioningKind, like profile: Profile = .wan, clip: Shape, timeStride: Int,
    encode: (_ frame: Tensor, _ greyFrames: Int) throws -> Tensor
  ) rethrows {
    let (height, width) = (clip[2], clip[3])
    // diffusers has one way for all models.
    let own = profile == .diffusers ? image.lanczosResized(width: width, height: height).planar() : nil
    switch kind {
    case .none:
      self = .none
    case .firstFrame:
      let picture = own ?? image.croppedToCover(width: width, height: height)
      self = .firstFrame(
        try encode(Tensor(picture.values, shape: [3, 1, height, width]), 0), isKept: profile != .diffusers)
    case .channels:
      let picture = own ?? image.stretched(width: width, height: height)
      let latents = try encode(Tensor(picture.values, shape: [3, 1, height, width]), clip[1] - 1)
      self = .channels(mask: .firstOnes(Shape([timeStride] + latents.shape.dimensions.dropFirst())), image: latents)
    }
  }
}

extension Tensor {
  /// [C, T, h, w], one in the first latent frame and zero in all that follow.
  fileprivate static func firstOnes(_ shape: Shape) -> Tensor {
    let (frames, area) = (shape[1], shape[2] * shape[3])
    return Tensor.filled(shape: shape) { x in
      for channel in 0..<shape[0] {
        for i in 0..<area { x[channel * frames * area + i] = 1 }
      }
    }
  }
}
