// C latent channels, T latent frames of h x w.

import Sampling
import Tensors
import WanModels

/// What an image adds to sampling: data for the one loop that serves all models.
struct Conditioning: Sendable {
  /// [mask and image channels, T, h, w], joined to the noise channels of every pass; I2V-A14B.
  var channels: Tensor?
  /// [C, 1, h, w], held in the first latent frame at t = 0; TI2V.
  var firstFrame: Tensor?

  static let none = Conditioning()

  /// The latents as the transformer takes them: [C (+ condition), T, h, w].
  func input(_ latents: Tensor, _ backend: any Backend) -> Tensor {
    channels.map { backend.concatenated([latents, $0]) } ?? latents
  }

  /// The latents with the known first frame put back: (1 - m) z + m latents, m = 0 on that frame.
  func holding(_ latents: Tensor) -> Tensor {
    guard let firstFrame else { return latents }
    let (channels, frames, area) = (latents.shape[0], latents.shape[1], latents.shape[2] * latents.shape[3])
    return Tensor.filled(shape: latents.shape) { result in
      latents.withSpan(of: Float.self) { x in
        for i in 0..<result.count { result[i] = x[i] }
      }
      firstFrame.withSpan(of: Float.self) { z in
        for channel in 0..<channels {
          for i in 0..<area { result[channel * frames * area + i] = z[channel * area + i] }
        }
      }
    }
  }

  /// The timestep of every token: 0 where the frame is known.
  func timesteps(_ t: Float, grid: (time: Int, height: Int, width: Int)) -> TokenTimesteps {
    TokenTimesteps(
      t, tokens: grid.time * grid.height * grid.width, known: firstFrame == nil ? 0 : grid.height * grid.width)
  }

  /// Mask and encoded clip of I2V-A14B: 4 mask channels, 1 on the first latent frame, then the latents of the image
  /// followed by empty frames.
  static func channels(encodedClip y: Tensor, timeStride: Int) -> Conditioning {
    let (frames, area) = (y.shape[1], y.shape[2] * y.shape[3])
    let mask = Tensor.filled(shape: [timeStride, frames, y.shape[2], y.shape[3]]) { mask in
      for channel in 0..<timeStride {
        for i in 0..<area { mask[channel * frames * area + i] = 1 }
      }
    }
    return Conditioning(
      channels: Tensor(mask.floats() + y.floats(), shape: [timeStride + y.shape[0], frames, y.shape[2], y.shape[3]]))
  }
}
