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
  /// The mask m [4, T, h, w] is 1 where a frame is known, four frames for each latent frame but the first, whose one
  /// counts for all four; y [C, T, h, w] are the latents of the known frames and of grey ones where none is known.
  case channels(mask: Tensor, image: Tensor)
  /// The transformer takes (1 - m) z + m x, where m is 0 on known latent frames, whose tokens are at t = 0; TI2V.
  ///
  /// z are the latents of the known frames. Where they are not `isKept`, they enter the transformer's input alone and the
  /// last step's result, and the solver walks with its own.
  case held(HeldFrames, isKept: Bool)

  /// The latents as the transformer takes them: [C (+ mask and image), T, h, w].
  func input(_ latents: Tensor, _ backend: any Backend) -> Tensor {
    switch self {
    case .none, .held(_, isKept: true): return latents
    case .held(let frames, isKept: false): return frames.over(latents)
    case .channels(let mask, let image):
      return backend.concatenated([latents, mask, image].map(backend.resident))
    }
  }

  /// The latents as the solver takes them: with the known frames where they are kept.
  func holding(_ latents: Tensor, isLast: Bool = false) -> Tensor {
    guard case .held(let frames, let isKept) = self, isKept || isLast else { return latents }
    return frames.over(latents)
  }

  /// The timestep of every token: 0 where the frame is known.
  func timesteps(_ t: Float, grid: TokenGrid) -> TokenTimesteps {
    guard case .held(let frames, _) = self else { return TokenTimesteps(t, tokens: grid.count) }
    let perFrame = frames.isKnown(of: grid.time).map { $0 ? 0 : t }
    return TokenTimesteps(perToken: perFrame.flatMap { Array(repeating: $0, count: grid.area) })
  }
}
