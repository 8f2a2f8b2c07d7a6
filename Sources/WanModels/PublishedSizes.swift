// The sizes of the published checkpoints, for models made without one.

extension TransformerConfiguration {
  /// Wan2.2-TI2V-5B: 30 layers of width 3072, 48 latent channels.
  public static let ti2v5B = TransformerConfiguration(
    inputChannels: 48, outputChannels: 48, dimension: 3072, feedForward: 14_336, textDimension: 4096,
    timeFrequencies: 256, layers: 30, facts: Facts(heads: 24))

  /// Either expert of Wan2.2-T2V-A14B: 40 layers of width 5120, 16 latent channels.
  public static let t2vA14B = a14B(inputChannels: 16)
  /// Either expert of Wan2.2-I2V-A14B: as ``t2vA14B``, with 4 mask and 16 image channels beside the noise.
  public static let i2vA14B = a14B(inputChannels: 36)

  private static func a14B(inputChannels: Int) -> TransformerConfiguration {
    TransformerConfiguration(
      inputChannels: inputChannels, outputChannels: 16, dimension: 5120, feedForward: 13_824, textDimension: 4096,
      timeFrequencies: 256, layers: 40, facts: Facts(heads: 40))
  }

  /// The same model with fewer or more layers.
  public func with(layers: Int) -> TransformerConfiguration {
    TransformerConfiguration(
      inputChannels: inputChannels, outputChannels: outputChannels, dimension: dimension, feedForward: feedForward,
      textDimension: textDimension, timeFrequencies: timeFrequencies, layers: layers,
      facts: Facts(heads: heads, textLength: textLength, epsilon: epsilon))
  }
}

extension TextEncoderConfiguration {
  /// The encoder of all published models: 24 layers of width 4096, 256 384 token ids.
  public static let umt5XXL = umt5XXL(layers: 24, vocabulary: 256_384)

  /// UMT5-XXL's widths with fewer layers or token ids.
  public static func umt5XXL(layers: Int, vocabulary: Int) -> TextEncoderConfiguration {
    TextEncoderConfiguration(
      vocabulary: vocabulary, dimension: 4096, attention: 4096, feedForward: 10_240, layers: layers, heads: 64,
      buckets: 32)
  }
}

extension VAEConfiguration {
  /// The VAE of the A14B models, `vae2_1.py`: stride 4 x 8 x 8, 16 latent channels.
  public static let wan21 = VAEConfiguration(
    widths: (96, 96), multipliers: [1, 2, 4, 4], temporal: [false, true, true], blocks: 2, latentChannels: 16,
    hasShortcuts: false)

  /// The VAE of TI2V-5B, `vae2_2.py`: stride 4 x 16 x 16 with its 2 x 2 patches, 48 latent channels.
  public static let wan22 = VAEConfiguration(
    widths: (160, 256), multipliers: [1, 2, 4, 4], temporal: [false, true, true], blocks: 2, latentChannels: 48,
    hasShortcuts: true)

  /// - Parameters:
  ///   - widths: base widths of encoder and decoder.
  ///   - multipliers: of the base width, one per encoder level.
  ///   - temporal: whether each level but the last halves time too.
  ///   - blocks: residual blocks per encoder level; the decoder has one more.
  init(
    widths: (encoder: Int, decoder: Int), multipliers: [Int], temporal: [Bool], blocks: Int, latentChannels: Int,
    hasShortcuts: Bool
  ) {
    let down = multipliers.map { $0 * widths.encoder }
    let up = multipliers.reversed().map { $0 * widths.decoder }
    self.init(
      encoder: Self.stages(
        "downsamples", start: widths.encoder, outputs: down, temporal: temporal, blocks: blocks, nested: hasShortcuts,
        resampled: { $0 }),
      decoder: Self.stages(
        "upsamples", start: up[0], outputs: up, temporal: temporal.reversed(), blocks: blocks + 1,
        nested: hasShortcuts, resampled: { hasShortcuts ? $0 : $0 / 2 }),
      latentChannels: latentChannels, imageChannels: hasShortcuts ? 12 : 3, hasShortcuts: hasShortcuts,
      encoderWidth: widths.encoder, decoderWidth: up[0])
  }

  private static func stages(
    _ list: String, start: Int, outputs: [Int], temporal: [Bool], blocks: Int, nested: Bool,
    resampled: (Int) -> Int
  ) -> [Stage] {
    var stages: [Stage] = []
    var (width, flat) = (start, 0)
    for (level, output) in outputs.enumerated() {
      let isLast = level == outputs.count - 1
      let paths = (0..<blocks + (isLast ? 0 : 1)).map {
        nested ? "\(list).\(level).\(list).\($0)" : "\(list).\(flat + $0)"
      }
      let resample =
        isLast ? nil : Resample(path: paths[blocks], isTemporal: temporal[level], outputs: resampled(output))
      stages.append(Stage(blocks: Array(paths[..<blocks]), resample: resample, inputs: width, outputs: output))
      width = resample?.outputs ?? output
      flat += paths.count
    }
    return stages
  }
}
