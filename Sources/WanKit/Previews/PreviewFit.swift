// C latent channels, T latent frames of h x w; F frames of H x W.

import Layers
public import Tensors
public import WanModels

/// The linear map that a model's own VAE is nearest to, by least squares.
///
/// Procedural clips are encoded and decoded again; each latent pixel is a sample, and its result the mean colour of the
/// pixels that came of it.
public struct PreviewFit: Sendable {
  /// What was found.
  public let colours: LatentColours
  /// The part of the colours' variance that it explains (R squared), of clips that it was not fitted to.
  public let explained: Double
  /// The root of the mean square of what it leaves, in colours of [-1, 1], of the same clips.
  public let residual: Double
  /// Latent pixels that it was fitted to.
  public let samples: Int

  /// Clips that are fitted to, and those behind them that the map is tried on.
  private static let clips = (fitted: 40, tried: 10)

  /// Computes the map of a VAE; takes seconds for a small one and minutes for a published one.
  ///
  /// - Parameter onClip: called when a clip is done, with how many are and how many there will be.
  /// - Throws: `WeightError`; `DeviceError`; `CancellationError` when the task is cancelled.
  public init(
    _ autoencoder: Autoencoder, on backend: any Backend, onClip: (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) throws {
    let encoder = try autoencoder.encoder.load(on: backend, precision: .f32)
    let decoder = try autoencoder.decoder.load(on: backend, precision: .f32)
    let geometry = autoencoder.configuration.latents
    let total = Self.clips.fitted + Self.clips.tried
    let clips = FitClips(
      count: total, frames: 2 * geometry.time + 1, height: 8 * geometry.space, width: 8 * geometry.space)
    var (fit, trial) = (
      LeastSquares(inputs: geometry.channels, outputs: 3), LeastSquares(inputs: geometry.channels, outputs: 3)
    )
    for index in 0..<total {
      let latents = try backend.host(encoder(clips.clip(index)))
      let means = try Self.means(of: decoder.decoding(latents), geometry, on: backend)
      if index < Self.clips.fitted { fit.add(latents, means) } else { trial.add(latents, means) }
      onClip(index + 1, total)
    }
    let solution = fit.solution()
    let quality = trial.quality(of: solution)
    (explained, residual, samples) = (quality.explained, quality.residual, fit.count)
    colours = LatentColours(factors: solution.factors.map { Float($0) }, bias: solution.bias.map { Float($0) })
  }

  /// The mean colour of the pixels of each latent pixel: [T h w] rows of three.
  private static func means(
    of decoding: VAEDecoding, _ geometry: LatentGeometry, on backend: any Backend
  ) throws -> [[Double]] {
    var decoding = decoding
    var means: [[Double]] = []
    while let part = try decoding.next() {
      means += boxes(try backend.host(part.frames), geometry.space)
    }
    return means
  }

  /// The means over all frames [n, H, W, 3] of boxes of so many pixels a side.
  private static func boxes(_ frames: Tensor, _ side: Int) -> [[Double]] {
    let (count, height, width) = (frames.shape[0], frames.shape[1] / side, frames.shape[2] / side)
    var sums = [[Double]](repeating: [0, 0, 0], count: height * width)
    frames.withSpan(of: Float.self) { pixels in
      for i in 0..<pixels.count {
        let (y, x) = (i / 3 / frames.shape[2] % frames.shape[1], i / 3 % frames.shape[2])
        sums[y / side * width + x / side][i % 3] += Double(pixels[i])
      }
    }
    return sums.map { $0.map { $0 / Double(count * side * side) } }
  }
}

extension LeastSquares {
  /// Takes every pixel of latents [C, T, h, w] and its colour, in the order T, h, w.
  fileprivate mutating func add(_ latents: Tensor, _ colours: [[Double]]) {
    let (channels, area) = (latents.shape[0], latents.count / latents.shape[0])
    let values = latents.floats()
    for i in 0..<area { add((0..<channels).map { Double(values[$0 * area + i]) }, colours[i]) }
  }
}
