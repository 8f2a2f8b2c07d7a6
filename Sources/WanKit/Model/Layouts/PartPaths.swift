/// Files that replace parts of a model, or make one without a folder.
public struct PartPaths: Sendable, Hashable, Codable {
  /// A single transformer: a file, or the folder of one.
  public var transformer: String?
  /// The experts for the first, noisy steps and for the rest.
  public var highNoise, lowNoise: String?
  /// The VAE's file or folder.
  public var autoencoder: String?
  /// The UMT5 encoder's file or folder.
  public var textEncoder: String?
  /// tokenizer.json, spiece.model, a folder that holds one, or a file of a text encoder with a tokenizer inside.
  public var tokenizer: String?
  /// Folders in which parts that are missing are looked for, by content.
  public var searched: [String]

  /// Nothing is replaced unless it is named.
  public init(
    transformer: String? = nil, highNoise: String? = nil, lowNoise: String? = nil, autoencoder: String? = nil,
    textEncoder: String? = nil, tokenizer: String? = nil, searched: [String] = []
  ) {
    (self.transformer, self.highNoise, self.lowNoise) = (transformer, highNoise, lowNoise)
    (self.autoencoder, self.textEncoder, self.tokenizer) = (autoencoder, textEncoder, tokenizer)
    self.searched = searched
  }

  /// Whether a transformer is named, so that no folder of a model is needed.
  public var namesTransformer: Bool { transformer != nil || highNoise != nil || lowNoise != nil }
}
