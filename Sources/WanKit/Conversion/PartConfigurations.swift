import Foundation
import WanModels

/// The configuration files that layouts have beside their checkpoints.
enum PartConfigurations {
  /// Wan-AI's config.json of a transformer.
  static func official(_ c: TransformerConfiguration, modelType: String) -> [UInt8] {
    json([
      "_class_name": "WanModel", "dim": c.dimension, "eps": number(c.epsilon), "ffn_dim": c.feedForward,
      "freq_dim": c.timeFrequencies, "in_dim": c.inputChannels, "model_type": modelType, "num_heads": c.heads,
      "num_layers": c.layers, "out_dim": c.outputChannels, "text_len": c.textLength,
    ])
  }

  /// diffusers' config.json of a transformer.
  static func diffusers(_ c: TransformerConfiguration) -> [UInt8] {
    let patch = TransformerConfiguration.patch
    var fields: [String: Any] = [
      "_class_name": "WanTransformer3DModel", "_diffusers_version": version, "added_kv_proj_dim": NSNull(),
      "attention_head_dim": c.headDimension, "cross_attn_norm": true, "eps": number(c.epsilon),
      "ffn_dim": c.feedForward, "freq_dim": c.timeFrequencies, "image_dim": NSNull(), "in_channels": c.inputChannels,
      "num_attention_heads": c.heads, "num_layers": c.layers, "out_channels": c.outputChannels,
      "patch_size": [patch.time, patch.height, patch.width], "pos_embed_seq_len": NSNull(),
      "qk_norm": "rms_norm_across_heads", "rope_max_seq_len": 1024, "text_dim": c.textDimension,
    ]
    // diffusers always pads prompts to 512 rows and passes the field over; a reader that knows it needs it.
    if c.textLength != publishedTextLength { fields["text_len"] = c.textLength }
    return json(fields)
  }

  /// Rows that prompts of every published model are padded to.
  static let publishedTextLength = 512

  /// diffusers' config.json of an autoencoder.
  static func diffusers(_ c: VAEConfiguration) -> [UInt8] {
    let widths = c.encoder.map(\.outputs)
    let isResidual = c.hasShortcuts
    return json([
      "_class_name": "AutoencoderKLWan", "_diffusers_version": version, "attn_scales": [Int](),
      "base_dim": c.encoderWidth,
      "decoder_base_dim": c.baseWidthOfDecoder == c.encoderWidth ? NSNull() : c.baseWidthOfDecoder as Any,
      "dim_mult": widths.map { $0 / c.encoderWidth }, "dropout": 0.0, "in_channels": c.imageChannels,
      "is_residual": isResidual, "latents_mean": c.normalisation.mean.map(number),
      "latents_std": c.normalisation.std.map(number), "num_res_blocks": c.residualBlocks,
      "out_channels": c.imageChannels, "patch_size": c.patch == 1 ? NSNull() : c.patch as Any,
      "scale_factor_spatial": c.stride.space, "scale_factor_temporal": c.stride.time,
      "temperal_downsample": c.encoder.compactMap(\.resample).map(\.isTemporal), "z_dim": c.latentChannels,
    ])
  }

  /// transformers' config.json of a text encoder.
  static func transformers(_ c: TextEncoderConfiguration) -> [UInt8] {
    json([
      "architectures": ["UMT5EncoderModel"], "d_ff": c.feedForward, "d_kv": c.attention / c.heads,
      "d_model": c.dimension, "decoder_start_token_id": 0, "dense_act_fn": "gelu_new", "dropout_rate": 0.0,
      "eos_token_id": 1, "feed_forward_proj": "gated-gelu", "is_encoder_decoder": true, "is_gated_act": true,
      "layer_norm_epsilon": number(c.epsilon), "model_type": "umt5", "num_decoder_layers": c.layers,
      "num_heads": c.heads, "num_layers": c.layers, "pad_token_id": 0,
      "relative_attention_max_distance": c.maximumDistance, "relative_attention_num_buckets": c.buckets,
      "scalable_attention": true, "tie_word_embeddings": true, "tokenizer_class": "T5Tokenizer", "use_cache": true,
      "vocab_size": c.vocabulary,
    ])
  }

  /// diffusers' model_index.json.
  static func index(of model: ConvertedModel) -> [UInt8] {
    let transformer = ["diffusers", "WanTransformer3DModel"]
    let isPair = model.family.hasTwoExperts
    return json([
      "_class_name": model.family.conditioning == .channels ? "WanImageToVideoPipeline" : "WanPipeline",
      "_diffusers_version": version, "boundary_ratio": model.boundary.map { $0 as Any } ?? NSNull(),
      "expand_timesteps": model.family.conditioning == .firstFrame,
      "scheduler": ["diffusers", "UniPCMultistepScheduler"], "text_encoder": ["transformers", "UMT5EncoderModel"],
      "tokenizer": ["transformers", "T5Tokenizer"], "transformer": transformer,
      "transformer_2": isPair ? transformer as Any : [NSNull(), NSNull()], "vae": ["diffusers", "AutoencoderKLWan"],
    ])
  }

  /// diffusers' scheduler_config.json: its own shift where the model has one, else the published one of its folders.
  static func scheduler(of model: ConvertedModel) -> [UInt8] {
    json([
      "_class_name": "UniPCMultistepScheduler", "_diffusers_version": version, "beta_end": 0.02,
      "beta_schedule": "linear", "beta_start": 0.0001, "final_sigmas_type": "zero",
      "flow_shift": model.schedulerShift ?? (model.family.hasTwoExperts ? 3.0 : 5.0), "num_train_timesteps": 1000,
      "prediction_type": "flow_prediction", "solver_order": 2, "solver_type": "bh2", "timestep_spacing": "linspace",
      "use_flow_sigmas": true,
    ])
  }

  /// The release whose folders these are like.
  private static let version = "0.35.0"

  /// Members beside those of another text, whose own go first where it is an object.
  static func json(_ members: [String: Any], into text: [UInt8]?) -> [UInt8] {
    let object = text.flatMap { try? JSONSerialization.jsonObject(with: Data($0)) } as? [String: Any]
    return json((object ?? [:]).merging(members) { own, _ in own })
  }

  static func json(_ object: [String: Any]) -> [UInt8] {
    let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try? JSONSerialization.data(withJSONObject: object, options: options)
    return Array(data ?? Data()) + [UInt8(ascii: "\n")]
  }

  /// The shortest decimal number that gives the float.
  private static func number(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }
}

extension VAEConfiguration {
  /// Residual blocks of a level of the encoder; the decoder has one more.
  fileprivate var residualBlocks: Int { encoder.first?.blocks.count ?? 0 }

  /// What the decoder's widths are multiples of.
  fileprivate var baseWidthOfDecoder: Int {
    guard let first = encoder.last?.outputs, encoderWidth > 0 else { return decoderWidth }
    return decoderWidth / max(1, first / encoderWidth)
  }
}
