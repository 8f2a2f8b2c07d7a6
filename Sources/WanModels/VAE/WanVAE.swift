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

  /// The frames of normalised latents [C, T, h, w], one latent frame at a time.
  public func decoding(_ latents: Tensor) -> Decoding {
    let (mean, std) = configuration.normalisation
    let z = latents.perChannel(mean, std) { z, mean, std in z * std + mean }
    return Decoding(vae: self, latents: backend.permuted(z, [1, 2, 3, 0]))
  }

  /// A clip being decoded: 1 frame for the first latent frame, 4 for each later one.
  public struct Decoding {
    private let vae: WanVAE
    private let latents: Tensor  // [T, h, w, C]
    private let stream = CausalStream()
    private var position = 0

    fileprivate init(vae: WanVAE, latents: Tensor) {
      (self.vae, self.latents) = (vae, latents)
    }

    /// The next frames [n, Hi, Wi, 3] float32, or `nil` after the last.
    ///
    /// - Parameter clamped: whether values are held inside [-1, 1], as published.
    /// - Throws: `CancellationError` when the task is cancelled.
    public mutating func next(clamped: Bool = true) throws -> Tensor? {
      guard position < latents.shape[0] else { return nil }
      try Task.checkCancellation()
      let frames = vae.frames(latents.slice(position..<position + 1), stream)
      position += 1
      stream.isFirstChunk = false
      return clamped ? frames.clamped(to: -1...1) : frames
    }
  }

  private func frames(_ z: Tensor, _ stream: CausalStream) -> Tensor {
    guard let decoder else { preconditionFailure("this autoencoder was loaded to encode only") }
    return unpatchified(backend.cast(decoder(z, stream), to: .f32))
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

/// Latents, no longer normalised, to video.
struct VAEDecoder: Sendable {
  private let conv1: CausalConv3D
  private let middle: VAEMiddle
  private let stages: [VAEUpStage]
  private let head: VAEHead
  private let entry: Linear
  private let backend: any Backend
  private let input: DType

  init(_ root: Weights, _ configuration: VAEConfiguration) {
    let w = root["decoder"]
    let (c, width) = (configuration.latentChannels, configuration.decoderWidth)
    backend = w.backend
    input = w.precision.activations
    entry = Linear(root["conv2"], c, c, storedAs: [c, c, 1, 1, 1])
    conv1 = CausalConv3D(w["conv1"], c, width)
    middle = VAEMiddle(w["middle"], width)
    stages = configuration.decoder.map { VAEUpStage(w, $0, hasShortcut: configuration.hasShortcuts) }
    head = VAEHead(w["head"], configuration.decoder.last?.outputs ?? 0, configuration.imageChannels)
  }

  /// [T, h, w, C] -> [F, H, W, 3 p p]
  func callAsFunction(_ z: Tensor, _ stream: CausalStream) -> Tensor {
    var x = middle(conv1(entry(backend.cast(z, to: input)), stream), stream)
    for stage in stages { x = stage(x, stream) }
    return head(x, stream)
  }
}
