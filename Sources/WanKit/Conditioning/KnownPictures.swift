// F frames of H x W pixels, T latent frames of h x w.

import Media
import Tensors

/// What of a clip is there before it is made: pictures that it begins with, and one that it ends with.
struct KnownPictures {
  /// None, one, or 4 n + 1 frames.
  let leading: [RGBImage]
  /// The clip's last frame.
  let last: RGBImage?

  /// `nil` where nothing is known.
  init?(leading: [RGBImage], last: RGBImage?) {
    if leading.isEmpty && last == nil { return nil }
    (self.leading, self.last) = (leading, last)
  }

  /// The one whose shape the clip takes.
  var first: RGBImage? { leading.first ?? last }

  /// How many frames of a clip are known, one by one.
  var count: Int { leading.count + (last == nil ? 0 : 1) }

  /// Pictures as frames of a clip, [3, n, H, W] in [-1, 1].
  static func frames(_ pictures: [RGBImage], _ placed: (RGBImage) -> PlanarImage, height: Int, width: Int) -> Tensor {
    let area = height * width
    return Tensor.filled(shape: [3, pictures.count, height, width]) { x in
      for (frame, picture) in pictures.enumerated() {
        let values = placed(picture).values
        for channel in 0..<3 {
          let start = (channel * pictures.count + frame) * area
          for i in 0..<area { x[start + i] = values[channel * area + i] }
        }
      }
    }
  }
}

/// Latent frames that are known from the start, and stay what they are: z in (1 - m) z + m x.
struct HeldFrames: Sendable {
  /// Latents [C, n, h, w], and which latent frame of the clip their first one is.
  let parts: [(first: Int, latents: Tensor)]

  /// Latents [C, T, h, w] with the known frames in their places.
  func over(_ latents: Tensor) -> Tensor {
    let (channels, frames, area) = (latents.shape[0], latents.shape[1], latents.shape[2] * latents.shape[3])
    return Tensor.filled(shape: latents.shape) { result in
      latents.withSpan(of: Float.self) { x in
        for i in 0..<result.count { result[i] = x[i] }
      }
      for (first, known) in parts {
        let count = known.shape[1] * area
        known.withSpan(of: Float.self) { z in
          for channel in 0..<channels {
            for i in 0..<count { result[(channel * frames + first) * area + i] = z[channel * count + i] }
          }
        }
      }
    }
  }

  /// Whether each latent frame of a clip is known.
  func isKnown(of frames: Int) -> [Bool] {
    (0..<frames).map { frame in parts.contains { ($0.first..<$0.first + $0.latents.shape[1]).contains(frame) } }
  }
}
