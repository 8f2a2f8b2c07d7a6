import Tensors

/// The published name of a tensor that another program names: what the networks are built from.
///
/// Names are compared from the checkpoint's own root; a prefix is taken off before.
struct OfficialNames {
  private let rename: (String) -> String?

  /// - Parameter names: all of the checkpoint's, without the prefix.
  init(_ naming: TensorNaming, names: Set<String>) {
    switch (naming.network, naming.dialect) {
    case (.transformer, .diffusers): rename = Self.transformer
    case (.autoencoder, .diffusers):
      let structure = DiffusersAutoencoder(names)
      rename = structure.official
    case (.textEncoder, .transformers):
      let isTied = names.contains("shared.weight")
      rename = { Self.huggingFace($0, isTied: isTied) }
    case (.textEncoder, .llama): rename = Self.llama
    // Its encoder is not read.
    case (.tinyAutoencoder, _): rename = { $0.hasPrefix("decoder.") ? $0 : nil }
    default: rename = { $0 }
    }
  }

  /// `nil` for a tensor that the network does not have under any name: a second copy of a table, a tokenizer.
  func callAsFunction(_ name: String) -> String? { rename(name) }
}

// MARK: - Transformers

extension OfficialNames {
  private static let outer = [
    "condition_embedder.text_embedder.linear_1": "text_embedding.0",
    "condition_embedder.text_embedder.linear_2": "text_embedding.2",
    "condition_embedder.time_embedder.linear_1": "time_embedding.0",
    "condition_embedder.time_embedder.linear_2": "time_embedding.2",
    "condition_embedder.time_proj": "time_projection.1", "proj_out": "head.head",
  ]
  private static let inner = [
    "attn1.to_q": "self_attn.q", "attn1.to_k": "self_attn.k", "attn1.to_v": "self_attn.v",
    "attn1.to_out.0": "self_attn.o", "attn1.norm_q": "self_attn.norm_q", "attn1.norm_k": "self_attn.norm_k",
    "attn2.to_q": "cross_attn.q", "attn2.to_k": "cross_attn.k", "attn2.to_v": "cross_attn.v",
    "attn2.to_out.0": "cross_attn.o", "attn2.norm_q": "cross_attn.norm_q", "attn2.norm_k": "cross_attn.norm_k",
    "ffn.net.0.proj": "ffn.0", "ffn.net.2": "ffn.2", "norm2": "norm3",
  ]

  /// diffusers' names of modules and of the layers of a block, by the published ones.
  static let diffusersModules = Dictionary(uniqueKeysWithValues: outer.map { ($0.value, $0.key) })
  static let diffusersLayers = Dictionary(uniqueKeysWithValues: inner.map { ($0.value, $0.key) })

  /// diffusers' names of a transformer, also of its layers alone.
  static func transformer(_ name: String) -> String? {
    if name == "scale_shift_table" { return "head.modulation" }
    if let block = BlockName(name, list: "blocks") {
      if block.rest == "scale_shift_table" { return "blocks.\(block.number).modulation" }
      return "blocks.\(block.number)." + replaced(block.rest, inner)
    }
    return replaced(name, outer)
  }

  /// The longest beginning that the table has, as the table has it; the rest stays.
  static func replaced(_ name: String, _ table: [String: String]) -> String {
    if let whole = table[name] { return whole }
    guard let dot = name.lastIndex(of: ".") else { return name }
    let beginning = String(name[..<dot])
    return (table[beginning] ?? beginning) + name[dot...]
  }
}

// MARK: - Text encoders

extension OfficialNames {
  /// The names of Hugging Face's transformers; some files hold the table of vectors twice.
  private static func huggingFace(_ name: String, isTied: Bool) -> String? {
    switch name {
    case "shared.weight": return "token_embedding.weight"
    case "encoder.embed_tokens.weight": return isTied ? nil : "token_embedding.weight"
    case "encoder.final_layer_norm.weight": return "norm.weight"
    case "spiece_model": return nil
    default: break
    }
    guard let block = BlockName(name, list: "encoder.block") else { return name }
    return "blocks.\(block.number)." + replaced(block.rest, huggingFaceLayers)
  }

  static let huggingFaceLayers = [
    "layer.0.layer_norm": "norm1", "layer.1.layer_norm": "norm2",
    "layer.0.SelfAttention.q": "attn.q", "layer.0.SelfAttention.k": "attn.k", "layer.0.SelfAttention.v": "attn.v",
    "layer.0.SelfAttention.o": "attn.o",
    "layer.0.SelfAttention.relative_attention_bias": "pos_embedding.embedding",
    "layer.1.DenseReluDense.wi_0": "ffn.gate.0", "layer.1.DenseReluDense.wi_1": "ffn.fc1",
    "layer.1.DenseReluDense.wo": "ffn.fc2",
  ]

  /// The names of llama.cpp, in GGUF files.
  private static func llama(_ name: String) -> String? {
    if name == "token_embd.weight" { return "token_embedding.weight" }
    if name == "enc.output_norm.weight" { return "norm.weight" }
    guard let block = BlockName(name, list: "enc.blk") else { return name }
    return "blocks.\(block.number)." + replaced(block.rest, llamaLayers)
  }

  static let llamaLayers = [
    "attn_q": "attn.q", "attn_k": "attn.k", "attn_v": "attn.v", "attn_o": "attn.o", "attn_norm": "norm1",
    "attn_rel_b": "pos_embedding.embedding", "ffn_gate": "ffn.gate.0", "ffn_up": "ffn.fc1", "ffn_down": "ffn.fc2",
    "ffn_norm": "norm2",
  ]
}

/// `list.7.rest`
struct BlockName {
  let number: Int
  let rest: String

  init?(_ name: String, list: String) {
    guard name.hasPrefix(list + ".") else { return nil }
    let parts = name.dropFirst(list.utf8.count + 1).split(separator: ".", maxSplits: 1)
    guard parts.count == 2, let number = Int(parts[0]) else { return nil }
    (self.number, rest) = (number, String(parts[1]))
  }
}

// MARK: - Autoencoders

/// diffusers' names of an autoencoder: levels of residual blocks, where the published names of 2.1 have one list.
struct DiffusersAutoencoder {
  /// Levels of both halves with lists inside, as 2.2 has them.
  private let isNested: Bool
  /// Residual blocks of the levels, by the paths of their lists.
  private let counts: [String: Int]

  init(_ names: Set<String>) {
    isNested = names.contains { $0.hasPrefix("encoder.down_blocks.0.resnets.") }
    var counts: [String: Int] = [:]
    for name in names {
      let parts = name.split(separator: ".")
      guard parts.count > 4, parts[3] == "resnets", let number = Int(parts[4]), number < 64 else { continue }
      let list = parts[..<3].joined(separator: ".")
      counts[list] = max(counts[list] ?? 0, number + 1)
    }
    self.counts = counts
  }

  static let leaves = [
    "norm1": "residual.0", "conv1": "residual.2", "norm2": "residual.3", "conv2": "residual.6",
    "conv_shortcut": "shortcut",
  ]

  func official(_ name: String) -> String? {
    let parts = name.split(separator: ".").map(String.init)
    switch parts.first {
    case "quant_conv": return ("conv1." + parts.dropFirst().joined(separator: "."))
    case "post_quant_conv": return ("conv2." + parts.dropFirst().joined(separator: "."))
    case "encoder", "decoder": break
    default: return name
    }
    guard parts.count > 2 else { return name }
    let (half, rest) = (parts[0], Array(parts.dropFirst(2)))
    switch parts[1] {
    case "conv_in": return "\(half).conv1." + rest.joined(separator: ".")
    case "norm_out": return "\(half).head.0." + rest.joined(separator: ".")
    case "conv_out": return "\(half).head.2." + rest.joined(separator: ".")
    case "mid_block": return middle(half, rest)
    case "down_blocks", "up_blocks": return level(half, rest, list: "\(half).\(parts[1])")
    default: return name
    }
  }

  private func middle(_ half: String, _ rest: [String]) -> String? {
    guard rest.count > 2 else { return nil }
    let tail = Array(rest.dropFirst(2))
    if rest[0] == "attentions" { return "\(half).middle.1." + tail.joined(separator: ".") }
    return "\(half).middle.\(rest[1] == "0" ? 0 : 2)." + leaf(tail)
  }

  private func level(_ half: String, _ rest: [String], list: String) -> String? {
    // No model has more levels, and a number in a name may be any.
    guard rest.count > 1, let number = Int(rest[0]), (0..<64).contains(number) else { return nil }
    let samples = half == "encoder" ? "downsamples" : "upsamples"
    let blocks = counts["\(list).\(number)"] ?? 0
    switch rest[1] {
    case "resnets":
      guard rest.count > 3, let block = Int(rest[2]), (0..<64).contains(block) else { return nil }
      return place(half, samples, number, block) + leaf(Array(rest.dropFirst(3)))
    case "downsampler", "upsampler":
      return place(half, samples, number, blocks) + rest.dropFirst(2).joined(separator: ".")
    case "downsamplers", "upsamplers":
      return place(half, samples, number, blocks) + rest.dropFirst(3).joined(separator: ".")
    default:
      // The encoder of 2.1 is one list in both.
      return "\(half).\(samples).\(number)." + leaf(Array(rest.dropFirst()))
    }
  }

  private func place(_ half: String, _ samples: String, _ level: Int, _ index: Int) -> String {
    if isNested { return "\(half).\(samples).\(level).\(samples).\(index)." }
    let before = (0..<level).reduce(0) { $0 + (counts["\(half).up_blocks.\($1)"] ?? 0) + 1 }
    return "\(half).\(samples).\(before + index)."
  }

  private func leaf(_ parts: [String]) -> String {
    guard let first = parts.first, let official = Self.leaves[first] else { return parts.joined(separator: ".") }
    return ([official] + parts.dropFirst()).joined(separator: ".")
  }
}
