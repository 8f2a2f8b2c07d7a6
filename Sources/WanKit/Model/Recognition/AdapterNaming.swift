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
    "these are the names of a LoRA (\(author)), which changes a network and is none; LoRAs are not read yet: give the "
      + "file of the model itself"
  }
}
