// C latent channels, T latent frames of h x w.

import Layers
import Sampling
import Tensors
import WanModels

/// How an image enters a model.
public enum ConditioningKind: String, Sendable, Hashable {
  /// Text alone.
  case none
  /// An image must be given: mask and encoded clip as extra channels (I2V-A14B).
  case channels
  /// An image may be given: it is the first latent frame, held at t = 0 (TI2V).
  case firstFrame
}

/// What an image adds to sampling: data for the one loop that serves all models. x are the latents [C, T, h, w].
enum Conditioning: Sendable {
  /// The transformer takes x, every token at t.
  case none
  /// The transformer takes [x, m, y], joined along the channels; I2V-A14B.
  ///
  /// The mask m [4, T, h, w] is 1 on the first latent frame and 0 on the others; y [C, T, h, w] are the latents of the
  /// image followed by grey frames.
  case channels(mask: Tensor, image: Tensor)
  /// The transformer takes (1 - m) z + m x, where m is 0 on the first latent frame, whose tokens are at t = 0; TI2V.
  ///
  /// z [C, 1, h, w] are the latents of the image. Where the frame is not `isKept`, it enters the transformer's input alone
  /// and the last step's result, and the solver walks with its own.
  case firstFrame(Tensor, isKept: Bool)

  /// The latents as the transformer takes them: [C (+ mask and image), T, h, w].
  func input(_ latents: Tensor, _ backend: any Backend) -> Tensor {
    switch self {
    case .none, .firstFrame(_, isKept: true): return latents
    case .firstFrame(_, isKept: false): return blended(latents)
    case .channels(let mask, let image):
      return backend.concatenated([latents, mask, image].map(backend.resident))
    }
  }

  /// The latents as the solver takes them: with the known first frame where it is kept.
  func holding(_ latents: Tensor, isLast: Bool = false) -> Tensor {
    if case .firstFrame(_, isKept: false) = self, !isLast { return latents }
    return blended(latents)
  }

  /// The latents with the known first frame in its place: (1 - m) z + m x.
  private func blended(_ latents: Tensor) -> Tensor {
    guard case .firstFrame(let known, _) = self else { return latents }
    let (channels, frames, area) = (latents.shape[0], latents.shape[1], latents.shape[2] * latents.shape[3])
    return Tensor.filled(shape: latents.shape) { result in
      latents.withSpan(of: Float.self) { x in
        for i in 0..<result.count { result[i] = x[i] }
      }
      known.withSpan(of: Float.self) { z in
        for channel in 0..<channels {
          for i in 0..<area { result[channel * frames * area + i] = z[channel * area + i] }
        }
      }
    }
  }

  /// The timestep of every token: 0 where the frame is known.
  func timesteps(_ t: Float, grid: TokenGrid) -> TokenTimesteps {
    let known = if case .firstFrame = self { grid.area } else { 0 }
    return TokenTimesteps(t, tokens: grid.count, known: known)
  }
}
