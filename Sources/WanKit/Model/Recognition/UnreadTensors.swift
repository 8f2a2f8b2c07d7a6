import Tensors

/// The names of a LoRA and its relatives: a file that changes a model and is none.
struct AdapterNaming: Sendable {
  /// Whose names these are, as far as the first of them tells.
  let author: String

  private static let parts = [
    ".lora_A", ".lora_B", ".lora_up", ".lora_down", "_lora.up", "_lora.down", ".lora.up", ".lora.down",
    ".lora_magnitude_vector", ".dora_scale", ".lokr_w", ".hada_w", ".diff_b", ".diff_m",
  ]

  private static let beginnings: [(prefix: String, author: String)] = [
    ("lora_unet__", "Wan-Fun's"), ("lora_unet_", "kohya's and musubi's"), ("lycoris_", "LyCORIS'"),
    ("base_model.model.", "PEFT's"), ("transformer.", "diffusers'"), ("transformer_2.", "diffusers'"),
    ("diffusion_model.", "as most trainers write them"), ("pipe.dit.", "DiffSynth's"), ("blocks.", "DiffSynth's"),
  ]

  /// `nil` unless most tensors are an adapter's.
  init?(names: [String]) {
    let adapters = names.filter { name in
      name.utf8.count < 1024 && (Self.parts.contains { name.contains($0) } || name.hasSuffix(".diff"))
    }
    guard let first = adapters.first, 2 * adapters.count >= names.count else { return nil }
    author = Self.beginnings.first { first.hasPrefix($0.prefix) }?.author ?? "of no known program"
  }

  /// Without the path.
  var problem: String {
    "these are the names of a LoRA (\(author)), which changes a network and is none: give the file of the model "
      + "itself, and the LoRA beside it"
  }
}

/// Ways of storing a matrix as small numbers and scales, told by the names of the scales.
enum QuantizedForm {
  private static let marks: [(ending: String, name: String)] = [
    ("weight_scale_2", "nvfp4"), ("comfy_quant", "ComfyUI's"), ("scale_weight", "scaled fp8"),
    ("scaled_fp8", "scaled fp8"), ("int8_weight", "TurboWan's int8"), ("qweight", "GPTQ or AWQ"),
    ("qzeros", "GPTQ or AWQ"), ("quant_state.bitsandbytes__nf4", "bitsandbytes' nf4"),
    ("quant_state.bitsandbytes__fp4", "bitsandbytes' fp4"), ("absmax", "bitsandbytes'"), ("smooth_factor", "SVDQuant"),
    ("weight_scale", "scales of the linears"),
  ]

  /// What to say of a checkpoint with such scales; `nil` where there are none but those of the engine's own bytes.
  static func problem(of source: any WeightSource) -> String? {
    for mark in marks {
      let names = source.names.filter { name in
        (name == mark.ending || name.hasSuffix("." + mark.ending)) && !isOwn(name, source)
      }
      if let first = names.first {
        return "\(source.location): its weights are stored as small numbers with scales beside them (\(mark.name), "
          + "'\(first)'\(names.count > 1 ? " and \(names.count - 1) more" : "")), which are not read yet; "
          + "take a checkpoint in BF16, F16 or F32"
      }
    }
    return nil
  }

  /// A scale that a matrix of the source is read with.
  private static func isOwn(_ name: String, _ source: any WeightSource) -> Bool {
    name.hasSuffix("weight" + QuantizedRows.scaleSuffix)
      && source.companions(of: String(name.dropLast(QuantizedRows.scaleSuffix.count))).contains(name)
  }
}
