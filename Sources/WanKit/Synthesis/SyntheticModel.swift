import Layers
import Tensors
public import WanModels

/// A published model's sizes, from which a checkpoint of random weights can be written.
public struct SyntheticModel: Sendable {
  /// Decides the files' names and config.json's `model_type`.
  public let family: ModelFamily
  /// Of each expert.
  public let transformer: TransformerConfiguration
  /// Of the VAE; its latent channels must be the transformer's output channels.
  public let autoencoder: VAEConfiguration
  /// Its width must be the transformer's `textDimension`.
  public let textEncoder: TextEncoderConfiguration

  /// The three published models at full size.
  public static let all = [
    SyntheticModel(family: .ti2v5B, transformer: .ti2v5B, autoencoder: .wan22, textEncoder: .umt5XXL),
    SyntheticModel(family: .t2vA14B, transformer: .t2vA14B, autoencoder: .wan21, textEncoder: .umt5XXL),
    SyntheticModel(family: .i2vA14B, transformer: .i2vA14B, autoencoder: .wan21, textEncoder: .umt5XXL),
  ]

  /// A model of any sizes; whether the networks fit each other is not checked.
  public init(
    family: ModelFamily, transformer: TransformerConfiguration, autoencoder: VAEConfiguration,
    textEncoder: TextEncoderConfiguration
  ) {
    self.family = family
    self.transformer = transformer
    self.autoencoder = autoencoder
    self.textEncoder = textEncoder
  }

  /// Bytes that its checkpoints take in bf16.
  public var byteCount: Int {
    let experts = Array(repeating: Demand(of: WanTransformer.self, transformer), count: family.hasTwoExperts ? 2 : 1)
    return (experts + [autoencoder.demand, Demand(of: UMT5Encoder.self, textEncoder)])
      .reduce(0) { $0 + RandomWeights($1).byteCount }
  }

  /// The same model with so many blocks in each transformer.
  public func with(layers: Int) -> SyntheticModel {
    SyntheticModel(
      family: family, transformer: transformer.with(layers: layers), autoencoder: autoencoder, textEncoder: textEncoder)
  }
}

extension VAEConfiguration {
  /// The tensors of both halves.
  var demand: Demand {
    Demand(Demand(of: VAEEncoder.self, self).requests + Demand(of: VAEDecoder.self, self).requests)
  }
}

/// A tokenizer that knows bytes and nothing else, for checkpoints that mean nothing anyway.
enum ByteTokenizer {
  static var json: String {
    let special = ["<pad>", "</s>", "<unk>"]
    let bytes = (0..<256).map { value in
      let digits = String(value, radix: 16, uppercase: true)
      return "<0x" + (digits.count == 1 ? "0" : "") + digits + ">"
    }
    let vocabulary = (special + bytes).map { "[\"\($0)\", 0.0]" } + ["[\"▁\", -2.0]"]
    let added = special.enumerated().map { id, name in
      "{\"id\": \(id), \"content\": \"\(name)\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
        + "\"normalized\": false, \"special\": true}"
    }
    return """
      {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [\(added.joined(separator: ", "))],
      "normalizer": null,
      "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
      "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}},
      {"SpecialToken": {"id": "</s>", "type_id": 0}}], "pair": [],
      "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}}, "decoder": null,
      "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": true, "vocab": [\(vocabulary.joined(separator: ", "))]}}

      """
  }
}
