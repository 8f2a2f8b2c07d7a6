public import Tensors

/// The sizes of a Wan transformer: most read off its tensors, the rest from the config.json beside it.
public struct TransformerConfiguration: Sendable, Hashable {
  /// What shapes cannot tell; the names of the published config.json in brackets.
  public struct Facts: Sendable, Hashable {
    /// Attention heads (num_heads).
    public var heads: Int
    /// Rows that a prompt is zero-padded to (text_len).
    public var textLength: Int
    /// The norms' epsilon (eps).
    public var epsilon: Float
    /// Sizes that the file states although shapes tell them, by their published names; checked, not trusted.
    public var stated: [String: Int]

    /// The published defaults for all but the heads; nothing is checked until a checkpoint is read.
    public init(heads: Int, textLength: Int = 512, epsilon: Float = 1e-6, stated: [String: Int] = [:]) {
      self.heads = heads
      self.textLength = textLength
      self.epsilon = epsilon
      self.stated = stated
    }
  }

  /// Latent channels in (noise, and condition where there is one) and out.
  public let inputChannels, outputChannels: Int
  /// Width of the residual stream, of the feed-forward layer, of the prompt's vectors, of the time sinusoid.
  public let dimension, feedForward, textDimension, timeFrequencies: Int
  /// Blocks, attention heads, and rows that a prompt is padded to.
  public let layers, heads, textLength: Int
  /// Of all norms in the blocks.
  public let epsilon: Float

  /// Width of one head; even, since rotary positions turn pairs.
  public var headDimension: Int { dimension / heads }

  /// Latent positions that become one token: (1, 2, 2).
  public static let patch = (time: 1, height: 2, width: 2)

  /// For a transformer without a checkpoint; `facts.stated` is not looked at.
  public init(
    inputChannels: Int, outputChannels: Int, dimension: Int, feedForward: Int, textDimension: Int,
    timeFrequencies: Int, layers: Int, facts: Facts
  ) {
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.dimension = dimension
    self.feedForward = feedForward
    self.textDimension = textDimension
    self.timeFrequencies = timeFrequencies
    self.layers = layers
    heads = facts.heads
    textLength = facts.textLength
    epsilon = facts.epsilon
  }

  /// Reads the sizes off a checkpoint's shapes and holds them against what config.json states.
  public init(reading source: any WeightSource, facts: Facts) throws(WeightError) {
    let patch = try source.shape("patch_embedding.weight", rank: 5)
    let head = try source.shape("head.head.weight", rank: 2)
    let time = try source.shape("time_embedding.0.weight", rank: 2)
    let text = try source.shape("text_embedding.0.weight", rank: 2)
    let ffn = try source.shape("blocks.0.ffn.0.weight", rank: 2)
    self.init(
      inputChannels: patch[1], outputChannels: head[0] / 4, dimension: patch[0], feedForward: ffn[0],
      textDimension: text[1], timeFrequencies: time[1], layers: try source.countLayers(), facts: facts)
    try check(against: facts, location: source.location)
    guard outputChannels > 0, head[0] % 4 == 0, timeFrequencies % 2 == 0 else {
      throw .misshapen(
        name: outputChannels > 0 && head[0] % 4 == 0 ? "time_embedding.0.weight" : "head.head.weight",
        expected: "a multiple of 4 outputs, an even number of frequencies",
        found: "\(head[0]) outputs, \(timeFrequencies) frequencies", location: source.location)
    }
  }

  private func check(against facts: Facts, location: String) throws(WeightError) {
    let found = [
      "dim": dimension, "ffn_dim": feedForward, "in_dim": inputChannels, "out_dim": outputChannels,
      "num_layers": layers, "freq_dim": timeFrequencies, "text_dim": textDimension,
    ]
    for (name, value) in facts.stated.sorted(by: { $0.key < $1.key }) {
      if let actual = found[name], actual != value {
        throw .unreadable(
          name: name, location: location, reason: "config.json says \(name) \(value), the tensors say \(actual)")
      }
    }
    guard heads > 0, dimension % heads == 0, headDimension % 2 == 0 else {
      throw .unreadable(
        name: "num_heads", location: location,
        reason: "config.json says num_heads \(heads), which does not cut dim \(dimension) into even heads")
    }
  }
}

extension WanTransformer {
  /// Heads of 128, as in every published model, and the published rows and epsilon: what tensors do not tell.
  public static func configuration(of source: any WeightSource) throws(WeightError) -> TransformerConfiguration {
    let dimension = try source.shape("patch_embedding.weight", rank: 5)[0]
    return try TransformerConfiguration(reading: source, facts: .init(heads: max(1, dimension / 128)))
  }
}

/// Of an axis that a size is read off: products of a few sizes stay far from the largest `Int`, and what is made for a
/// size stays small. The longest of the published models is the vocabulary, 256 384.
private let largestExtent = 1 << 20

/// The published models have up to 40.
private let mostLayers = 512

extension WeightSource {
  /// A tensor's shape, which must have `rank` axes, none empty and none longer than ``largestExtent``.
  func shape(_ name: String, rank: Int) throws(WeightError) -> Shape {
    guard let shape = descriptor(name)?.shape else { throw notRead(name) }
    guard shape.rank == rank, shape.dimensions.allSatisfy((1...largestExtent).contains) else {
      throw .misshapen(
        name: name, expected: "\(rank) axes, none empty and none above \(largestExtent)", found: shape.description,
        location: location)
    }
    return shape
  }

  /// The layers of a network, `blocks.0`, `blocks.1` and so on.
  func countLayers() throws(WeightError) -> Int {
    let count = countChildren(of: "blocks")
    guard count <= mostLayers else {
      throw .unreadable(
        name: "blocks.\(mostLayers)", location: location, reason: "\(count) layers are more than any model has")
    }
    return count
  }

  /// How many numbered children `prefix.0`, `prefix.1`, ... there are, counting up to the first gap.
  func countChildren(of prefix: String) -> Int {
    let numbers = Set(
      names.compactMap { name in
        name.hasPrefix(prefix + ".") ? Int(name.dropFirst(prefix.count + 1).prefix { $0 != "." }) : nil
      })
    var count = 0
    while numbers.contains(count) { count += 1 }
    return count
  }
}
