import Checkpoints
import Foundation
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

  /// The checkpoints of the model: where each lies in the folder and what it holds.
  public func checkpoints(seed: UInt64 = 0) -> [(path: String, weights: RandomWeights)] {
    let experts = family.hasTwoExperts ? ["high_noise_model/", "low_noise_model/"] : [""]
    var files = experts.enumerated().map { i, folder in
      (
        folder + "diffusion_pytorch_model.safetensors",
        RandomWeights(Demand(of: WanTransformer.self, transformer), seed: seed &+ UInt64(i))
      )
    }
    files.append(
      (family.autoencoderNames[0] + ".safetensors", RandomWeights(autoencoder.demand, seed: seed)))
    files.append(
      ("models_t5_umt5-xxl-enc-bf16.safetensors", RandomWeights(Demand(of: UMT5Encoder.self, textEncoder), seed: seed)))
    return files
  }

  /// Bytes that the checkpoints take.
  public var byteCount: Int { checkpoints().reduce(0) { $0 + $1.weights.byteCount } }

  /// Writes a folder in the official layout, bf16 safetensors throughout.
  ///
  /// - Parameter onFile: called with each file's path and bytes before it is written.
  /// - Throws: `CheckpointError` when the disk refuses; `CancellationError` between tensors.
  public func write(
    to folder: String, seed: UInt64 = 0, onFile: (_ path: String, _ bytes: Int) -> Void = { _, _ in }
  ) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: folder + "/google/umt5-xxl", withIntermediateDirectories: true)
    for (path, weights) in checkpoints(seed: seed) {
      let target = folder + "/" + path
      let directory = URL(fileURLWithPath: target).deletingLastPathComponent().path
      try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
      onFile(target, weights.byteCount)
      try Self.write(weights, to: target)
      if path.hasSuffix("diffusion_pytorch_model.safetensors") {
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: directory + "/config.json"), options: .atomic)
      }
    }
    try Data(ByteTokenizer.json.utf8).write(
      to: URL(fileURLWithPath: folder + "/google/umt5-xxl/tokenizer.json"), options: .atomic)
  }

  private static func write(_ weights: RandomWeights, to path: String) throws {
    let entries = weights.names.compactMap { name in
      weights.descriptor(name).flatMap { descriptor in
        descriptor.dtype.map { SafetensorsWriter.Entry(name: name, shape: descriptor.shape, dtype: $0) }
      }
    }
    var writer = try SafetensorsWriter(path: path, entries: entries, metadata: [("format", "pt")])
    for name in weights.names {
      try Task.checkCancellation()
      try writer.write(weights.tensor(name), as: name)
    }
    try writer.finish()
  }

  /// The published config.json's fields.
  private var configuration: String {
    """
    {
      "_class_name": "WanModel",
      "dim": \(transformer.dimension),
      "eps": 1e-06,
      "ffn_dim": \(transformer.feedForward),
      "freq_dim": \(transformer.timeFrequencies),
      "in_dim": \(transformer.inputChannels),
      "model_type": "\(family.modelType)",
      "num_heads": \(transformer.heads),
      "num_layers": \(transformer.layers),
      "out_dim": \(transformer.outputChannels),
      "text_len": \(transformer.textLength)
    }

    """
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
