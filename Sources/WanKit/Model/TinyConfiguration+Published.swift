public import WanModels

extension TinyConfiguration {
  /// The published tiny autoencoders of Wan2.2's latents, by the names of their files.
  public static let published: [(name: String, configuration: TinyConfiguration)] = [
    ("taew2_1", .wan21), ("taew2_2", .wan22),
  ]

  /// Where they are published.
  static let publishedAt = "https://github.com/madebyollin/taehv"

  /// The one for latents of so many channels.
  static func published(_ channels: Int) -> (name: String, configuration: TinyConfiguration)? {
    published.first { $0.configuration.latentChannels == channels }
  }
}

extension ModelFolder {
  /// What to know of a tiny autoencoder that may be none of the model's.
  var tinyDecoderNotices: [String] {
    let sizes = transformers.configuration
    guard decoder.isTiny, !sizes.isOfPublishedWidth else { return [] }
    return [
      "the tiny autoencoder is made for the latents of the published models; this one's transformer has width "
        + "\(sizes.dimension), and if its VAE is one of its own, colours and shapes will be wrong"
    ]
  }
}

extension TransformerConfiguration {
  /// Whether it may be one of the published models, whose latents are those of the published VAEs.
  var isOfPublishedWidth: Bool { SyntheticModel.all.contains { $0.transformer.dimension == dimension } }
}
