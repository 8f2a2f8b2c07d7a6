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
