// T latent frames of h x w, C latent channels; F frames of Hi x Wi, p x p pixels folded into channels.

public import Layers
public import Tensors

/// Latents to video: the decoding half of `WanVAE_`, published in `vae2_1.py` and `vae2_2.py`.
///
/// It streams: latent frames go through one by one, each causal convolution keeping its last past frames.
public struct VAEDecoder: Network {
  /// The structure that it was made with.
  public let configuration: VAEConfiguration
  private let conv1: CausalConv3D
  private let middle: VAEMiddle
  private let stages: [VAEUpStage]
  private let head: VAEHead
  private let entry: Linear
  private let backend: any Backend
  private let input: DType

  /// Bytes of an activation beyond which its frames go on one by one.
  package static let largestPiece = 16 << 20

  /// Takes the decoder's tensors, and `conv2` beside it.
  public init(_ root: Weights, _ configuration: VAEConfiguration) {
    let w = root["decoder"]
    let (c, width) = (configuration.latentChannels, configuration.decoderWidth)
    self.configuration = configuration
    backend = w.backend
    input = w.precision.activations
    entry = Linear(root["conv2"], c, c, storedAs: [c, c, 1, 1, 1])
    conv1 = CausalConv3D(w["conv1"], c, width)
    middle = VAEMiddle(w["middle"], width)
    stages = configuration.decoder.map { VAEUpStage(w, $0, hasShortcut: configuration.hasShortcuts) }
    head = VAEHead(w["head"], configuration.decoder.last?.outputs ?? 0, configuration.imageChannels)
  }

  public static func configuration(of source: any WeightSource) throws(WeightError) -> VAEConfiguration {
    try VAEConfiguration(reading: source)
  }

  /// The frames of normalised latents [C, T, h, w], one latent frame at a time.
  ///
  /// - Parameters:
  ///   - latents: from the host or the backend.
  ///   - tiling: the parts that frames are decoded in; more of them need less memory and more time.
  ///   - values: what becomes of numbers outside [-1, 1].
  public func decoding(
    _ latents: Tensor, tiling: VAETiling = .whole, values: DecodedValues = .held
  ) -> VAEDecoding {
    let (mean, std) = configuration.statistics(on: backend)
    let z = backend.add(backend.multiply(backend.resident(latents), std), mean)
    return VAEDecoding(self, backend.permuted(z, [1, 2, 3, 0]), tiling, values)
  }

  /// Latents [1, h, w, C] of one frame, no longer normalised -> a tile's part of its frames [n, H, W, 3] float32.
  func frames(_ z: Tensor, _ tile: VAETile, _ stream: CausalStream, _ values: DecodedValues) -> Tensor {
    let x = middle(conv1(entry(backend.cast(z, to: input)), stream), stream)
    let region = FrameRegion(height: z.shape[1], width: z.shape[2])
    let frames = run(0, x, region, tile, stream)
    let y = frames.count == 1 ? frames[0] : backend.concatenated(frames)
    let pixels = unfolded(backend.cast(y, to: .f32))
    return values == .held ? backend.clamped(pixels, to: -1...1) : pixels
  }

  /// A stage and all that follow; large activations are taken apart, so that few of them are alive at a time.
  private func run(
    _ index: Int, _ x: Tensor, _ region: FrameRegion, _ tile: VAETile, _ stream: CausalStream
  ) -> [Tensor] {
    if index == stages.count {
      return [cropped(head(cropped(x, from: region, to: tile.head), stream), from: tile.head, to: tile.output)]
    }
    if x.shape[0] > 1, x.byteCount > Self.largestPiece {
      return (0..<x.shape[0]).flatMap { run(index, x.slice($0..<$0 + 1), region, tile, stream) }
    }
    let y = stages[index](cropped(x, from: region, to: tile.stages[index]), stream)
    return run(index + 1, y, stages[index].region(of: tile.stages[index]), tile, stream)
  }

  /// A rectangle of frames [T, H, W, C] that cover `region`; the same tensor where that is all of it.
  private func cropped(_ x: Tensor, from region: FrameRegion, to part: FrameRegion) -> Tensor {
    if part == region { return x }
    let top = part.rows.lowerBound - region.rows.lowerBound
    let left = part.columns.lowerBound - region.columns.lowerBound
    return backend.windowed(
      x,
      [
        AxisWindow(count: x.shape[0]), AxisWindow(top..<top + part.rows.count),
        AxisWindow(left..<left + part.columns.count), AxisWindow(count: x.shape[3]),
      ])
  }

  /// Channels unfolded into rows and columns: [F, H, W, 3 p p] -> [F, H p, W p, 3].
  private func unfolded(_ x: Tensor) -> Tensor {
    let (p, f, h, w) = (configuration.patch, x.shape[0], x.shape[1], x.shape[2])
    if p == 1 { return x }
    return backend.permuted(x.reshaped([f, h, w, 3, p, p]), [0, 1, 5, 2, 4, 3]).reshaped([f, h * p, w * p, 3])
  }
}
