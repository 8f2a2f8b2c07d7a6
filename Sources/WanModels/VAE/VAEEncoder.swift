// F frames of Hi x Wi video, T latent frames of h x w, C latent channels.

public import Layers
public import Tensors

/// Video to latents: the encoding half of `WanVAE_`, published in `vae2_1.py` and `vae2_2.py`.
///
/// It streams: frames go through in chunks, each causal convolution keeping its last past frames. Where frames are large
/// they go through the wide levels one by one.
public struct VAEEncoder: Network {
  /// The structure that it was made with.
  public let configuration: VAEConfiguration
  private let conv1: CausalConv3D
  private let stages: [VAEDownStage]
  private let middle: VAEMiddle
  private let head: VAEHead
  private let moments: Linear
  private let backend: any Backend
  private let input: DType

  /// Takes the encoder's tensors, and `conv1` beside it.
  public init(_ root: Weights, _ configuration: VAEConfiguration) {
    let w = root["encoder"]
    let (c, width) = (configuration.latentChannels, configuration.encoder.last?.outputs ?? 0)
    self.configuration = configuration
    backend = w.backend
    input = w.precision.activations
    conv1 = CausalConv3D(w["conv1"], configuration.imageChannels, configuration.encoderWidth)
    stages = configuration.encoder.map { VAEDownStage(w, $0, hasShortcut: configuration.hasShortcuts) }
    middle = VAEMiddle(w["middle"], width)
    head = VAEHead(w["head"], width, 2 * c)
    moments = Linear(root["conv1"], 2 * c, 2 * c, storedAs: [2 * c, 2 * c, 1, 1, 1])
  }

  public static func configuration(of source: any WeightSource) throws(WeightError) -> VAEConfiguration {
    try VAEConfiguration(reading: source)
  }

  /// The mean latents, normalised: video [3, F, Hi, Wi] in [-1, 1] -> [C, T, h, w], F = 4 (T - 1) + 1.
  ///
  /// - Parameters:
  ///   - video: from the host or the backend; Hi and Wi are multiples of the spatial stride.
  ///   - greyFrames: frames of zeros that follow it and count as a part of F; they take memory a few at a time.
  ///   - ending: [3, n, Hi, Wi], frames that follow those and count too.
  /// - Throws: `CancellationError` when the task is cancelled.
  public func callAsFunction(_ video: Tensor, greyFrames: Int = 0, ending: Tensor? = nil) throws -> Tensor {
    let frames = (backend.resident(video), grey: greyFrames, ending: ending.map(backend.resident))
    let (count, step) = (video.shape[1] + greyFrames + (ending?.shape[1] ?? 0), configuration.stride.time)
    let stream = CausalStream()
    var chunks: [Tensor] = []
    var next = 0
    while next < count {
      try Task.checkCancellation()
      let end = min(count, next + (next == 0 ? 1 : step))
      chunks.append(latents(folded(chunk(next..<end, of: frames)), stream))
      stream.isFirstChunk = false
      next = end
    }
    let z = backend.permuted(backend.concatenated(chunks), [3, 0, 1, 2])  // [C, T, h, w]
    let (mean, std) = configuration.statistics(on: backend)
    return backend.combined(backend.combined(z, mean, .subtract), std, .divide)
  }

  /// Frames [T, H, W, 3 p p] -> mean latents before normalisation, [T', h, w, C] float32.
  ///
  /// - Parameter piece: bytes of an activation beyond which its frames go on one by one, as far as time is not halved.
  func latents(_ frames: Tensor, _ stream: CausalStream, piece: Int = VAEDecoder.largestPiece) -> Tensor {
    let isApart = stages.first.map { !$0.halvesTime } ?? false
    var x = backend.framewise(frames, over: isApart ? piece : .max) { frames in
      let x = conv1(backend.cast(frames, to: input), stream)
      return stages.first.map { $0(x, stream, piece) } ?? x
    }
    for stage in stages.dropFirst() { x = stage(x, stream, piece) }
    let y = moments(head(middle(x, stream), stream), output: .f32)  // mean, then log variance
    let mean = y.shape.dimensions.dropLast() + [configuration.latentChannels]
    return backend.windowed(y, mean.map { AxisWindow(count: $0) })
  }

  /// Some frames of a video [3, n, Hi, Wi], of zeros after it, and of an ending [3, m, Hi, Wi]: [frames, Hi, Wi, 3].
  private func chunk(_ frames: Range<Int>, of video: (Tensor, grey: Int, ending: Tensor?)) -> Tensor {
    let (height, width, start) = (video.0.shape[2], video.0.shape[3], video.0.shape[1])
    func part(_ tensor: Tensor, from first: Int) -> Tensor? {
      let given = frames.clamped(to: first..<first + tensor.shape[1])
      if given.isEmpty { return nil }
      let rows = AxisWindow(given.lowerBound - first..<given.upperBound - first)
      let part = backend.windowed(
        tensor, [AxisWindow(count: 3), rows, AxisWindow(count: height), AxisWindow(count: width)])
      return backend.permuted(part, [1, 2, 3, 0])
    }
    let grey = frames.clamped(to: start..<start + video.grey).count
    let zeros = grey == 0 ? nil : backend.zeros([grey, height, width, 3], dtype: video.0.dtype)
    let ending = video.ending.flatMap { part($0, from: start + video.grey) }
    let parts = [part(video.0, from: 0), zeros, ending].compactMap { $0 }
    return parts.count == 1 ? parts[0] : backend.concatenated(parts)
  }

  /// Rows and columns folded into channels, ordered (channel, column, row): [F, Hi, Wi, 3] -> [F, Hi/p, Wi/p, 3 p p].
  private func folded(_ x: Tensor) -> Tensor {
    let (p, f, h, w) = (configuration.patch, x.shape[0], x.shape[1], x.shape[2])
    if p == 1 { return x }
    return backend.permuted(x.reshaped([f, h / p, p, w / p, p, 3]), [0, 1, 3, 5, 4, 2])
      .reshaped([f, h / p, w / p, 3 * p * p])
  }
}

extension VAEConfiguration {
  /// Mean and deviation of each latent channel where a backend computes, [C, 1, 1, 1] each.
  func statistics(on backend: any Backend) -> (mean: Tensor, std: Tensor) {
    let (mean, std) = normalisation
    let shape: Shape = [latentChannels, 1, 1, 1]
    return (backend.tensor(mean, shape), backend.tensor(std, shape))
  }
}
