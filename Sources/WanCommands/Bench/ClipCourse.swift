import CPUBackend
import Foundation
import Layers
import Media
import Tensors
import WanKit
import WanModels

/// The stages of a clip on random weights, one after another, with the weights of only one in memory.
struct ClipCourse {
  let model: SyntheticModel
  let backend: any Backend
  let precision: Precision
  let frames, steps, promptTokens: Int
  let size: SizeArgument
  /// Layers of the transformer that run; `nil` for all.
  let layers: Int?

  private var latents: Shape {
    model.autoencoder.latents.shape(frames: frames, height: size.height, width: size.width)
  }

  /// Tokens of a pass.
  var tokens: Int { TokenGrid(latents: latents).count }

  func stages(_ ffmpeg: FFmpeg) async throws -> [ClipReport.Stage] {
    let operations = ClipOperations(
      model.transformer, model.textEncoder, tokens: tokens, promptTokens: promptTokens)
    let before = rates
    let text = try deep(model.textEncoder.layers, layers.map { _ in 3 }) { try encode($0) }
    let denoising = try deep(model.transformer.layers, layers) { try denoise($0) }
    // What the machine can do is what it did at its best.
    let rates = (text: max(before.text, self.rates.text), blocks: max(before.blocks, self.rates.blocks))
    let (decoding, writing) = try await decode(ffmpeg)
    return [
      ClipReport.Stage("text", text, least: operations.text / rates.text),
      ClipReport.Stage(
        "denoising", denoising, least: (operations.context + Double(steps) * operations.pass) / rates.blocks),
      ClipReport.Stage("decoding", decoding, least: nil), ClipReport.Stage("writing", writing, least: nil),
    ]
  }

  /// Operations per second; none are known of another backend, and then there is no least time.
  private var rates: (text: Double, blocks: Double) {
    guard let processor = backend as? CPUBackend else { return (.infinity, .infinity) }
    return (
      processor.multiplicationRate(precision.unquantized), processor.multiplicationRate(precision)
    )
  }

  /// The seconds of `depth` layers, by 1 and `measured` layers where not all of them run.
  private func deep(_ depth: Int, _ measured: Int?, _ seconds: (Int) throws -> Double) rethrows -> Double {
    guard let measured, measured < depth else { return try seconds(depth) }
    let (one, many) = (try seconds(1), try seconds(measured))
    return one + (many - one) / Double(measured - 1) * Double(depth - 1)
  }

  private func encode(_ layers: Int) throws -> Double {
    let vocabulary = 1024
    let encoder = try RandomWeights.network(
      UMT5Encoder.self, .umt5XXL(layers: layers, vocabulary: vocabulary), precision.unquantized, backend)
    let ids = (0..<promptTokens).map { Int32($0 * 389 % vocabulary) }
    return try seconds { _ = try backend.host(encoder(ids)) }
  }

  private func denoise(_ layers: Int) throws -> Double {
    backend.trim()
    let transformer = try RandomWeights.network(
      WanTransformer.self, model.transformer.with(layers: layers), precision, backend)
    let start = ContinuousClock.now
    let pass = try TransformerPass(
      transformer, LatentArgument(frames: latents[1], height: latents[2], width: latents[3]), on: backend)
    let context = (ContinuousClock.now - start).inSeconds
    // Passes take the same time; where the depth is told from less, so is their number.
    let measured = self.layers == nil ? steps : 1
    let passes = try seconds { for _ in 0..<measured { try pass.run() } }
    return context + passes / Double(measured) * Double(steps)
  }

  /// The seconds of the tiny autoencoder, and those that the file took besides.
  private func decode(_ ffmpeg: FFmpeg) async throws -> (decoding: Double, writing: Double) {
    backend.trim()
    let configuration: TinyConfiguration = model.autoencoder == .wan21 ? .wan21 : .wan22
    let decoder = try RandomWeights.network(TinyDecoder.self, configuration, precision.unquantized, backend)
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("wan-bench-\(UUID().uuidString).mp4").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let settings = try ClipSettings(
      width: size.width, height: size.height, frameRate: model.family.defaults.framesPerSecond, frameCount: frames)
    let writer = try await ClipWriter(path: path, settings: settings, ffmpeg: ffmpeg)
    let start = ContinuousClock.now
    var computing = 0.0
    var decoding = decoder.decoding(RandomWeights.normal(latents, seed: 1))
    while true {
      var frames: Tensor?
      computing += try seconds { frames = try decoding.next().map { try backend.host($0.frames) } }
      guard let frames else { break }
      for frame in RGBImage.frames(of: frames) { try await writer.write(frame) }
    }
    _ = try await writer.finish()
    return (computing, (ContinuousClock.now - start).inSeconds - computing)
  }

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start).inSeconds
  }
}

/// The multiplications that a clip without guidance cannot do without, a product and a sum being two operations.
///
/// Only the blocks' matrices and attention are counted: embeddings, norms, autoencoder and file come on top.
struct ClipOperations {
  /// Of the prompt's way through the text encoder.
  let text: Double
  /// Of keys and values of the prompt in each block, which one step after another uses.
  let context: Double
  /// Of one pass of the transformer.
  let pass: Double

  init(
    _ transformer: TransformerConfiguration, _ encoder: TextEncoderConfiguration, tokens: Int, promptTokens: Int
  ) {
    let (n, m) = (Double(tokens), Double(transformer.textLength))
    let (d, f) = (Double(transformer.dimension), Double(transformer.feedForward))
    // Self-attention's four matrices, two of the prompt's, and the two of the feed-forward layer.
    let linears = 2 * n * (4 * d * d + 2 * d * d + 2 * d * f)
    pass = Double(transformer.layers) * (linears + 4 * n * n * d + 4 * n * m * d)
    context = Double(transformer.layers) * 2 * m * 2 * d * d
    let (p, w) = (Double(promptTokens), Double(encoder.dimension))
    let (a, g) = (Double(encoder.attention), Double(encoder.feedForward))
    text = Double(encoder.layers) * (2 * p * (4 * w * a + 3 * w * g) + 4 * p * p * a)
  }
}
