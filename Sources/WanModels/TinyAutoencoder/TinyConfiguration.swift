public import Tensors

/// The structure of the decoder of a tiny autoencoder (TAEHV), read off its tensors: taew2_1 and taew2_2 alike.
///
/// Published in `taehv.py`. Three levels double rows and columns, the last two of them frames as well.
public struct TinyConfiguration: Sendable, Hashable {
  /// Latent channels (z): 16 of taew2_1, 48 of taew2_2.
  public let latentChannels: Int
  /// Rows and columns that the last convolution folds into channels: 1, or 2 in taew2_2.
  public let patch: Int
  /// Channels of each level, and of the last convolution's input.
  public private(set) var widths: [Int]
  /// Frames that each level's 1x1 convolution could make of one, as it is stored; the last ``growth`` of them count.
  private(set) var storedGrowth: [Int]
  /// Frames that each level makes of one.
  public private(set) var growth = TinyConfiguration.publishedGrowth
  /// Whether each level doubles rows and columns.
  public private(set) var isEnlarging = true

  private static let publishedGrowth = [1, 2, 2]

  /// The structure of these sizes, stored as it is used.
  init(latentChannels: Int, patch: Int, widths: [Int] = [256, 128, 64, 64]) {
    (self.latentChannels, self.patch, self.widths) = (latentChannels, patch, widths)
    storedGrowth = Self.publishedGrowth
  }

  /// taew2_1, for the latents of Wan2.1's VAE, which the A14B models have: 4 x 8 x 8, 16 channels.
  public static let wan21 = TinyConfiguration(latentChannels: 16, patch: 1)
  /// taew2_2, for the latents of TI2V-5B: 4 x 16 x 16, 48 channels.
  public static let wan22 = TinyConfiguration(latentChannels: 48, patch: 2)

  /// Frames that the first latent frame gives too many: those before the clip.
  var leadingFrames: Int { growth.reduce(1, *) - 1 }

  /// How its latents lie over what it gives.
  public var latents: LatentGeometry {
    LatentGeometry(
      channels: latentChannels, time: growth.reduce(1, *), space: patch * (isEnlarging ? 1 << growth.count : 1))
  }

  /// The same tensors for previews: one small frame for each latent frame, ``patch`` rows and columns for each of its.
  ///
  /// `decoder_time_upscale` and `decoder_space_upscale` in `taehv.py`.
  public var forPreviews: TinyConfiguration {
    var preview = self
    preview.growth = [1, 1, 1]
    preview.isEnlarging = false
    return preview
  }
}

extension TinyConfiguration {
  /// Where the tensors of a level begin in the checkpoint's list: three blocks, then the doubling, which has none, the 1x1
  /// convolution over frames, and the convolution to the next level's width.
  static func first(ofLevel level: Int) -> Int { 3 + 6 * level }

  /// The structure by a checkpoint's published names and shapes.
  ///
  /// - Throws: `WeightError` when a tensor is missing or has the wrong rank, or the last one gives no pictures.
  public init(reading source: any WeightSource) throws(WeightError) {
    let entry = try source.shape("decoder.1.weight", rank: 4)
    (latentChannels, widths, storedGrowth) = (entry[1], [entry[0]], [])
    for level in Self.publishedGrowth.indices {
      let first = Self.first(ofLevel: level)
      storedGrowth.append(try Self.growth(first + 4, level, of: widths[level], in: source))
      widths.append(try source.shape("decoder.\(first + 5).weight", rank: 4)[0])
    }
    let (name, pixels) = ("decoder.22.weight", try source.shape("decoder.22.weight", rank: 4))
    guard pixels[0] == 3 || pixels[0] == 12 else {
      throw .misshapen(
        name: name, expected: "3 or 12 output channels", found: pixels.description, location: source.location)
    }
    patch = pixels[0] == 12 ? 2 : 1
  }

  private static func growth(
    _ index: Int, _ level: Int, of width: Int, in source: any WeightSource
  ) throws(WeightError) -> Int {
    let name = "decoder.\(index).conv.weight"
    let stored = try source.shape(name, rank: 4)
    guard stored[0] % width == 0, stored[0] / width >= publishedGrowth[level] else {
      throw .misshapen(
        name: name, expected: "\(publishedGrowth[level]) or more times \(width) rows", found: stored.description,
        location: source.location)
    }
    return stored[0] / width
  }
}
