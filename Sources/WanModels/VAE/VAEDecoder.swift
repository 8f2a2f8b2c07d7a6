// T latent frames, F frames; H rows, W columns, C channels.

import Layers
import Tensors

/// Latents, no longer normalised, to video.
struct VAEDecoder: Sendable {
  private let conv1: CausalConv3D
  private let middle: VAEMiddle
  private let stages: [VAEUpStage]
  private let head: VAEHead
  private let entry: Linear
  private let backend: any Backend
  private let input: DType

  /// Bytes of an activation beyond which its frames go on one by one.
  static let largestPiece = 16 << 20

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

  /// Whole latent frames [T, h, w, C] -> the tile's part of the frames [F, H, W, 3 p p]; a stream serves one tile.
  func callAsFunction(_ z: Tensor, _ tile: VAETile, _ stream: CausalStream) -> Tensor {
    let x = middle(conv1(entry(backend.cast(z, to: input)), stream), stream)
    let region = FrameRegion(height: z.shape[1], width: z.shape[2])
    let frames = run(0, x, region, tile, stream)
    return frames.count == 1 ? frames[0] : backend.concatenated(frames)
  }

  /// A stage and all that follow; large activations are taken apart, so that few of them are alive at a time.
  private func run(
    _ index: Int, _ x: Tensor, _ region: FrameRegion, _ tile: VAETile, _ stream: CausalStream
  ) -> [Tensor] {
    if index == stages.count {
      return [head(x.cropped(from: region, to: tile.head), stream).cropped(from: tile.head, to: tile.output)]
    }
    if x.shape[0] > 1, x.byteCount > Self.largestPiece {
      return (0..<x.shape[0]).flatMap { run(index, x.slice($0..<$0 + 1), region, tile, stream) }
    }
    let y = stages[index](x.cropped(from: region, to: tile.stages[index]), stream)
    return run(index + 1, y, stages[index].region(of: tile.stages[index]), tile, stream)
  }
}
