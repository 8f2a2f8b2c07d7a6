// F frames of Hi x Wi video, T latent frames of h x w, C latent channels.

public import Layers
public import Tensors

/// The video autoencoder of all Wan2.2 models: published as `WanVAE_` in `vae2_1.py` and `vae2_2.py`.
///
/// Both directions stream: frames go through in chunks, each causal convolution keeping its last past frames.
public struct WanVAE: Sendable {
  /// The structure that it was made with.
  public let configuration: VAEConfiguration
  private let encoder: VAEEncoder?
  private let decoder: VAEDecoder?
  private let backend: any Backend

  /// Which half of the autoencoder to load; the other half's tensors are checked but not read.
  public enum Half: Sendable { case encoder, decoder, both }

  /// Reads the published checkpoint; call `w.finish()` afterwards.
  public init(_ w: Weights, _ configuration: VAEConfiguration, half: Half = .both) {
    self.configuration = configuration
    backend = w.backend
    let surveyed = w.surveying
    let encoder = VAEEncoder(half == .decoder ? surveyed : w, configuration)
    let decoder = VAEDecoder(half == .encoder ? surveyed : w, configuration)
    self.encoder = half == .decoder ? nil : encoder
    self.decoder = half == .encoder ? nil : decoder
  }

  /// The mean latents, normalised: video [3, F, Hi, Wi] in [-1, 1] -> [C, T, h, w], F = 4 (T - 1) + 1.
  ///
  /// Hi and Wi are multiples of the spatial stride.
  /// - Throws: `CancellationError` when the task is cancelled.
  public func encode(_ video: Tensor) throws -> Tensor {
    guard let encoder else { preconditionFailure("this autoencoder was loaded to decode only") }
    let frames = backend.permuted(video, [1, 2, 3, 0])  // [F, Hi, Wi, 3]
    let step = configuration.stride.time
    let stream = CausalStream()
    var chunks: [Tensor] = []
    var next = 0
    while next < frames.shape[0] {
      try Task.checkCancellation()
      let end = min(frames.shape[0], next + (next == 0 ? 1 : step))
      chunks.append(encoder(patchified(frames.slice(next..<end)), stream))
      stream.isFirstChunk = false
      next = end
    }
    let latents = backend.permuted(backend.concatenated(chunks), [3, 0, 1, 2])
    let (mean, std) = configuration.normalisation
    return latents.perChannel(mean, std) { z, mean, std in (z - mean) / std }
  }

  /// Latents [1, h, w, C] of one frame, no longer normalised, to a tile's part of its frames [n, H, W, 3] float32.
  func frames(_ z: Tensor, _ tile: VAETile, _ stream: CausalStream) -> Tensor {
    guard let decoder else { preconditionFailure("this autoencoder was loaded to encode only") }
    return unpatchified(backend.cast(decoder(z, tile, stream), to: .f32))
  }

  /// Normalised latents [C, T, h, w] to what the decoder takes, [T, h, w, C].
  func denormalised(_ latents: Tensor) -> Tensor {
    let (mean, std) = configuration.normalisation
    return backend.permuted(latents.perChannel(mean, std) { z, mean, std in z * std + mean }, [1, 2, 3, 0])
  }

  /// Rows and columns folded into channels, ordered (channel, column, row): [F, Hi, Wi, 3] -> [F, Hi/p, Wi/p, 3 p p].
  private func patchified(_ x: Tensor) -> Tensor {
    let (p, f, h, w) = (configuration.patch, x.shape[0], x.shape[1], x.shape[2])
    if p == 1 { return x }
    return backend.permuted(x.reshaped([f, h / p, p, w / p, p, 3]), [0, 1, 3, 5, 4, 2])
      .reshaped([f, h / p, w / p, 3 * p * p])
  }

  private func unpatchified(_ x: Tensor) -> Tensor {
    let (p, f, h, w) = (configuration.patch, x.shape[0], x.shape[1], x.shape[2])
    if p == 1 { return x }
    return backend.permuted(x.reshaped([f, h, w, 3, p, p]), [0, 1, 5, 2, 4, 3]).reshaped([f, h * p, w * p, 3])
  }
}

/// Video to mean latents, before normalisation.
struct VAEEncoder: Sendable {
  private let conv1: CausalConv3D
  private let stages: [VAEDownStage]
  private let middle: VAEMiddle
  private let head: VAEHead
  private let mean: Linear
  private let backend: any Backend
  private let latentChannels: Int
  private let input: DType

  init(_ root: Weights, _ configuration: VAEConfiguration) {
    let w = root["encoder"]
    let (c, width) = (configuration.latentChannels, configuration.encoder.last?.outputs ?? 0)
    backend = w.backend
    latentChannels = c
    input = w.precision.activations
    conv1 = CausalConv3D(w["conv1"], configuration.imageChannels, configuration.encoderWidth)
    stages = configuration.encoder.map { VAEDownStage(w, $0, hasShortcut: configuration.hasShortcuts) }
    middle = VAEMiddle(w["middle"], width)
    head = VAEHead(w["head"], width, 2 * c)
    mean = Linear(root["conv1"], 2 * c, 2 * c, storedAs: [2 * c, 2 * c, 1, 1, 1])
  }

  /// [F, H, W, 3 p p] -> [T, h, w, C] float32
  func callAsFunction(_ frames: Tensor, _ stream: CausalStream) -> Tensor {
    var x = conv1(backend.cast(frames, to: input), stream)
    for stage in stages { x = stage(x, stream) }
    let moments = mean(head(middle(x, stream), stream), output: .f32)  // mean, then log variance
    return moments.leadingChannels(latentChannels)
  }
}
