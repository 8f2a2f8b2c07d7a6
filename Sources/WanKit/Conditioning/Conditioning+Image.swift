// F frames of H x W pixels; C latent channels, T latent frames of h x w.

import Media
import Tensors

extension Conditioning {
  /// Pictures prepared for a clip as the published pipeline of its model does, and encoded.
  ///
  /// - Parameters:
  ///   - kind: how the model takes pictures.
  ///   - profile: whose pipeline prepares them.
  ///   - clip: [3, F, H, W].
  ///   - timeStride: the frames of the clip that become one latent frame, 4 in every published model.
  ///   - encode: the autoencoder: known frames in [-1, 1] to latents [C, T, h, w].
  /// - Throws: what `encode` throws.
  init(
    _ pictures: KnownPictures, as kind: ConditioningKind, like profile: Profile = .wan, clip: Shape, timeStride: Int,
    encode: (EncodedFrames) throws -> Tensor
  ) rethrows {
    let (height, width) = (clip[2], clip[3])
    func frames(_ pictures: [RGBImage]) -> Tensor {
      KnownPictures.frames(
        pictures, { $0.placed(as: kind, like: profile, width: width, height: height) }, height: height, width: width)
    }
    switch kind {
    case .none: self = .none
    case .firstFrame:
      var parts: [(first: Int, latents: Tensor)] = []
      if !pictures.leading.isEmpty { parts.append((0, try encode(EncodedFrames(frames(pictures.leading))))) }
      if let last = pictures.last {
        // A latent frame of a still picture: the second one of a clip that stands still, as the decoder expects one there.
        let still = try encode(EncodedFrames(frames(Array(repeating: last, count: timeStride + 1))))
        parts.append(((clip[1] - 1) / timeStride, still.latentFrame(1)))
      }
      self = .held(HeldFrames(parts: parts), isKept: profile != .diffusers)
    case .channels:
      let latents = try encode(
        EncodedFrames(
          frames(pictures.leading), grey: clip[1] - pictures.count, ending: pictures.last.map { frames([$0]) }))
      let isKnown = (0..<clip[1]).map { $0 < pictures.leading.count || $0 == clip[1] - 1 && pictures.last != nil }
      self = .channels(mask: .mask(isKnown, latents.shape, timeStride), image: latents)
    }
  }
}

/// Frames that are given to the autoencoder: some, then grey ones, then some again; the first two together are 4 n + 1
/// where nothing ends them.
struct EncodedFrames {
  /// [3, n, H, W] and [3, m, H, W] in [-1, 1].
  let frames: Tensor, ending: Tensor?
  /// How many frames of zeros lie between.
  let grey: Int

  init(_ frames: Tensor, grey: Int = 0, ending: Tensor? = nil) {
    (self.frames, self.grey, self.ending) = (frames, grey, ending)
  }
}

extension RGBImage {
  /// The picture at a clip's size, as a pipeline places it; diffusers has one way for all models.
  fileprivate func placed(as kind: ConditioningKind, like profile: Profile, width: Int, height: Int) -> PlanarImage {
    if profile == .diffusers { return lanczosResized(width: width, height: height).planar() }
    return kind == .channels ? stretched(width: width, height: height) : croppedToCover(width: width, height: height)
  }
}

extension Tensor {
  /// One latent frame of [C, T, h, w]: [C, 1, h, w].
  fileprivate func latentFrame(_ index: Int) -> Tensor {
    let (channels, frames, area) = (shape[0], shape[1], shape[2] * shape[3])
    return withSpan(of: Float.self) { z in
      Tensor.filled(shape: [channels, 1, shape[2], shape[3]]) { x in
        for channel in 0..<channels {
          for i in 0..<area { x[channel * area + i] = z[(channel * frames + index) * area + i] }
        }
      }
    }
  }

  /// 1 where a frame is known and 0 elsewhere, [stride, T, h, w] for latents [C, T, h, w]: the first frame's own `stride`
  /// times, then `stride` frames for each latent frame.
  fileprivate static func mask(_ isKnown: [Bool], _ latents: Shape, _ stride: Int) -> Tensor {
    let (frames, area) = (latents[1], latents[2] * latents[3])
    return Tensor.filled(shape: Shape([stride] + latents.dimensions.dropFirst())) { x in
      for channel in 0..<stride {
        for frame in 0..<frames {
          guard isKnown[frame == 0 ? 0 : (frame - 1) * stride + 1 + channel] else { continue }
          for i in 0..<area { x[(channel * frames + frame) * area + i] = 1 }
        }
      }
    }
  }
}
