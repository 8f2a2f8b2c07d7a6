public import Tensors

/// The sizes of a UMT5 encoder, all read off its tensors.
public struct TextEncoderConfiguration: Sendable, Hashable {
  /// Embedding rows, width, attention width, feed-forward width.
  public let vocabulary, dimension, attention, feedForward: Int
  /// Blocks, attention heads, and buckets of relative distance per head.
  public let layers, heads, buckets: Int
  /// Distances past this share the last bucket; not stored, 128 in all published encoders.
  public var maximumDistance: Int { 128 }
  /// Of the RMS norms; not stored, 1e-6 in all published encoders.
  public var epsilon: Float { 1e-6 }

  /// For an encoder without a checkpoint; sizes read from one are checked, these are not.
  public init(
    vocabulary: Int, dimension: Int, attention: Int, feedForward: Int, layers: Int, heads: Int, buckets: Int
  ) {
    self.vocabulary = vocabulary
    self.dimension = dimension
    self.attention = attention
    self.feedForward = feedForward
    self.layers = layers
    self.heads = heads
    self.buckets = buckets
  }

  private static let mostHeads = 4096

  /// Sizes by the shapes of a checkpoint under its published names.
  ///
  /// - Throws: `WeightError` when a tensor is missing, has the wrong rank, or sizes do not divide or are beyond measure.
  public init(reading source: any WeightSource) throws(WeightError) {
    let embedding = try source.shape("token_embedding.weight", rank: 2)
    let q = try source.shape("blocks.0.attn.q.weight", rank: 2)
    let ffn = try source.shape("blocks.0.ffn.fc1.weight", rank: 2)
    let positions = try source.shape("blocks.0.pos_embedding.embedding.weight", rank: 2)
    self.init(
      vocabulary: embedding[0], dimension: embedding[1], attention: q[0], feedForward: ffn[0],
      layers: try source.countLayers(), heads: positions[1], buckets: positions[0])
    // So many buckets that the last of the near ones reaches the maximum distance would leave none for far ones.
    guard heads <= Self.mostHeads, attention % heads == 0, buckets % 4 == 0,
      (4..<4 * maximumDistance).contains(buckets)
    else {
      throw .misshapen(
        name: "blocks.0.pos_embedding.embedding.weight",
        expected: "a multiple of 4 buckets below \(4 * maximumDistance), heads that divide \(q[0])",
        found: positions.description, location: source.location)
    }
  }
}

extension UMT5Encoder {
  public static func configuration(of source: any WeightSource) throws(WeightError) -> TextEncoderConfiguration {
    try TextEncoderConfiguration(reading: source)
  }
}
