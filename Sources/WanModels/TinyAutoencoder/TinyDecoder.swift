// T latent frames of h x w, C latent channels; frames of H x W, p x p pixels folded into channels.

public import Layers
public import Tensors

/// Latents to video by a tiny autoencoder, in about a twentieth of the VAE's time: the decoder of `TAEHV` in `taehv.py`.
///
/// It takes the latents that a run ends with, normalised as they are, and gives nearly the VAE's pictures. It streams:
/// latent frames go through one by one, each memory block keeping its last frame. With a configuration's
/// ``TinyConfiguration/forPreviews`` it makes one small picture of each latent frame.
public struct TinyDecoder: Network {
  /// The structure that it was made with.
  public let configuration: TinyConfiguration
  private let entry: FrameConv2D
  private let levels: [TinyLevel]
  private let head: FrameConv2D
  private let backend: any Backend

  /// Takes the decoder's tensors; the checkpoint's encoder is not used.
  public init(_ root: Weights, _ configuration: TinyConfiguration) {
    let (w, c) = (root["decoder"], configuration)
    self.configuration = c
    backend = w.backend
    entry = .plain(w[1], c.latentChannels, c.widths[0])
    levels = c.growth.indices.map { level in
      TinyLevel(w, c, level: level, activation: level == c.growth.count - 1 ? .relu : .none)
    }
    head = .plain(w[22], c.widths[c.growth.count], 3 * c.patch * c.patch)
  }

  public static func configuration(of source: any WeightSource) throws(WeightError) -> TinyConfiguration {
    try TinyConfiguration(reading: source)
  }

  /// The frames of normalised latents [C, T, h, w], one latent frame at a time.
  ///
  /// - Parameters:
  ///   - latents: from the host or the backend.
  ///   - values: what becomes of numbers outside [-1, 1].
  public func decoding(_ latents: Tensor, values: DecodedValues = .held) -> TinyDecoding {
    TinyDecoding(self, backend.permuted(backend.resident(latents), [1, 2, 3, 0]), values)
  }

  /// The pictures of the clean latents of one step, for previews: [C, T, h, w] -> [T, h p, w p, 3] in [-1, 1], on the
  /// host, where the decoder is made ``TinyConfiguration/forPreviews``; otherwise all frames of the clip.
  ///
  /// - Throws: `CancellationError` when the task is cancelled; `DeviceError`.
  public func pictures(of latents: Tensor) throws -> Tensor {
    var decoding = decoding(latents)
    var parts: [Tensor] = []
    while let part = try decoding.next() { parts.append(part.frames) }
    return try backend.host(backend.concatenated(parts))
  }

  /// A latent frame [1, h, w, C] -> its frames [n, H, W, 3] float32; of the first one only the last is the clip's.
  func frames(_ z: Tensor, _ stream: CausalStream, _ values: DecodedValues) -> Tensor {
    let x = entry(softened(z), .relu)  // [1, h, w, 256]
    let frames = run(0, x, number: 0, from: stream.isFirstChunk ? configuration.leadingFrames : 0, stream)
      .map { pixels($0, values) }
    return frames.count == 1 ? frames[0] : backend.concatenated(frames)
  }

  /// A level and all that follow for one frame, in the order of time, so that few activations are alive at a time.
  ///
  /// - Parameters:
  ///   - number: of the frame among those of its level.
  ///   - start: frames of the last level before this are not computed.
  private func run(_ index: Int, _ x: Tensor, number: Int, from start: Int, _ stream: CausalStream) -> [Tensor] {
    if index == levels.count { return [head(x, output: .f32)] }
    let (level, isLast) = (levels[index], index == levels.count - 1)
    let y = level.remembered(x, stream)
    return (0..<level.growth).flatMap { i -> [Tensor] in
      let next = number * level.growth + i
      return isLast && next < start ? [] : run(index + 1, level.frame(i, of: y), number: next, from: start, stream)
    }
  }

  /// 3 tanh(x / 3) = 3 - 6 / (e^(2 x / 3) + 1)
  private func softened(_ x: Tensor) -> Tensor {
    func number(_ value: Float) -> Tensor { backend.tensor([value], [1]) }
    let power = backend.mapped(backend.multiply(x, number(2.0 / 3)), .exponential)
    let quotient = backend.combined(number(6), backend.add(power, number(1)), .divide)
    return backend.combined(number(3), quotient, .subtract)
  }

  /// Channels, ordered (channel, row, column), unfolded, and [0, 1] brought to [-1, 1]: [n, h, w, 3 p p] ->
  /// [n, h p, w p, 3].
  private func pixels(_ y: Tensor, _ values: DecodedValues) -> Tensor {
    let (p, n, h, w) = (configuration.patch, y.shape[0], y.shape[1], y.shape[2])
    let rows = y.reshaped([n * h, w * 3 * p * p])
    let doubled = backend.combined(
      backend.add(rows, rows), backend.tensor([1], [1]), .subtract
    ).reshaped([n, h, w, 3, p, p])
    let unfolded = p == 1 ? doubled : backend.permuted(doubled, [0, 1, 4, 2, 5, 3])
    let frames = unfolded.reshaped([n, h * p, w * p, 3])
    return values == .held ? backend.clamped(frames, to: -1...1) : frames
  }
}
