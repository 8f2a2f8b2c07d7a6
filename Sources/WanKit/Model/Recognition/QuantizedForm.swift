import Tensors

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
