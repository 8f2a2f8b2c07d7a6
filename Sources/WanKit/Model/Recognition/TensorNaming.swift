import Checkpoints
import Tensors

/// A network of Wan2.2.
enum NetworkKind: String, Sendable {
  case transformer
  case autoencoder
  case textEncoder = "text encoder"
  /// One of TAEHV's, of which only the decoder is read.
  case tinyAutoencoder = "tiny autoencoder"

  var withArticle: String { self == .autoencoder ? "an autoencoder" : "a \(rawValue)" }
}

/// The names that one program gives the tensors of one network.
///
/// All layouts that are told apart are in ``all``: one that becomes readable needs its names in ``OfficialNames``.
struct TensorNaming: Sendable {
  let network: NetworkKind
  let dialect: Dialect
  /// Names that only this layout has; any one of them tells it.
  let markers: [[UInt8]]

  /// Whose names they are.
  enum Dialect: String, Sendable {
    case official = "Wan2.2"
    case diffusers
    case transformers = "Hugging Face's transformers"
    case llama = "llama.cpp"
    case superTiny = "TAEHV's super variant"
  }

  var author: String { dialect.rawValue }

  /// Whether the networks can be built from these names.
  var isRead: Bool { dialect != .superTiny }

  private init(_ network: NetworkKind, by dialect: Dialect, _ markers: String...) {
    (self.network, self.dialect) = (network, dialect)
    self.markers = markers.map { Array($0.utf8) }
  }

  static let all = [
    TensorNaming(
      .transformer, by: .official, "head.modulation", "head.head.weight", "blocks.0.self_attn.q.weight",
      "blocks.0.ffn.0.weight", "time_projection.1.weight"),
    TensorNaming(
      .textEncoder, by: .official, "blocks.0.pos_embedding.embedding.weight", "blocks.0.ffn.fc1.weight",
      "blocks.0.ffn.gate.0.weight"),
    TensorNaming(
      .autoencoder, by: .official, "encoder.middle.0.residual.0.gamma", "decoder.middle.0.residual.0.gamma",
      "encoder.head.0.gamma", "decoder.head.0.gamma"),
    TensorNaming(
      .transformer, by: .diffusers, "condition_embedder.time_embedder.linear_1.weight",
      "condition_embedder.time_proj.weight", "condition_embedder.text_embedder.linear_1.weight",
      "blocks.0.attn1.to_q.weight", "blocks.0.ffn.net.0.proj.weight"),
    TensorNaming(
      .autoencoder, by: .diffusers, "encoder.mid_block.resnets.0.norm1.gamma",
      "decoder.mid_block.resnets.0.norm1.gamma", "decoder.mid_block.attentions.0.to_qkv.weight"),
    TensorNaming(
      .textEncoder, by: .transformers, "encoder.block.0.layer.0.SelfAttention.q.weight",
      "encoder.block.0.layer.1.DenseReluDense.wi_0.weight"),
    TensorNaming(.textEncoder, by: .llama, "enc.blk.0.attn_q.weight", "enc.blk.0.ffn_gate.weight"),
    TensorNaming(.tinyAutoencoder, by: .official, "decoder.13.conv.weight", "decoder.19.conv.weight"),
    TensorNaming(.tinyAutoencoder, by: .superTiny, "decoder.14.conv.weight", "decoder.3.conv.3.weight"),
  ]

  /// What stands in front of a marker that the name is or ends with; `nil` where it ends with none.
  fileprivate func prefix(in name: String) -> String? {
    let bytes = name.utf8
    for marker in markers where bytes.count >= marker.count && bytes.suffix(marker.count).elementsEqual(marker) {
      let prefix = bytes.dropLast(marker.count)
      if prefix.isEmpty || prefix.last == UInt8(ascii: ".") { return String(Substring(prefix)) }
    }
    return nil
  }
}

/// A network in a checkpoint, under whosever names.
struct NamedNetwork: Sendable {
  let naming: TensorNaming
  /// What stands in front of all its names: "model.diffusion_model.".
  let prefix: String

  var isRead: Bool { naming.isRead }

  /// The network under its published names.
  func source(in checkpoint: any WeightSource) throws(CheckpointError) -> any WeightSource {
    if prefix.isEmpty, naming.dialect == .official, naming.network != .tinyAutoencoder,
      !checkpoint.names.contains("spiece_model")
    {
      return checkpoint
    }
    let count = prefix.utf8.count
    let own = checkpoint.names.filter { $0.hasPrefix(prefix) }
    let official = OfficialNames(naming, names: Set(own.map { String($0.dropFirst(count)) }))
    return try RenamedSource(checkpoint) { name in
      name.hasPrefix(prefix) && name != "spiece_model" ? official(String(name.dropFirst(count))) : nil
    }
  }

  /// "a transformer by diffusers' names under the prefix 'model.'"
  var description: String {
    naming.network.withArticle + (naming.dialect == .official ? "" : " in the names of \(naming.author)")
      + (prefix.isEmpty ? "" : " under the prefix '\(prefix.prefix(80))'")
  }

  /// Every network whose names a checkpoint has, those that are read first.
  static func all(in names: [String]) -> [NamedNetwork] {
    var found: [NamedNetwork] = []
    for naming in TensorNaming.all {
      for prefix in Set(names.compactMap(naming.prefix)).sorted().prefix(8) {
        found.append(NamedNetwork(naming: naming, prefix: prefix))
      }
    }
    return found.filter(\.isRead) + found.filter { !$0.isRead }
  }
}

/// A relative of the Wan2.2 transformers that has parts of its own, told by their names.
enum TransformerVariant {
  private static let parts: [(part: String, name: String)] = [
    ("vace_blocks.", "VACE"), ("vace_patch_embedding.", "VACE"), ("audio_injector.", "S2V"),
    ("casual_audio_encoder.", "S2V"), ("cond_encoder.", "S2V"), ("face_adapter.", "Animate"),
    ("motion_encoder.", "Animate"), ("face_encoder.", "Animate"), ("pose_patch_embedding.", "Animate"),
    ("ref_conv.", "Fun-Control"), ("control_adapter.", "Fun-Camera"), ("audio_proj.", "a model that hears"),
    ("img_emb.", "Wan2.1's image to video"),
  ]

  /// The variant's name and the first tensor that tells it.
  static func find(in names: [String]) -> (name: String, tensor: String)? {
    for name in names {
      if let part = parts.first(where: { name.hasPrefix($0.part) }) { return (part.name, name) }
    }
    return nil
  }
}
