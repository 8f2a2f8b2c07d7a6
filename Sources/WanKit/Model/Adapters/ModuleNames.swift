import Layers
import Tensors

/// Finds a network's module by the name that an adapter's writer gave it.
///
/// Writers take the published names or diffusers', with dots or underscores between their parts, behind a prefix of their
/// own. An underscore also stands inside of parts, so that names are never taken apart: they are looked for among the
/// network's own, flattened.
struct ModuleNames {
  private var modules: [String: String] = [:]

  private static let prefixes = [
    "lora_unet__", "lora_unet_", "lora_transformer_", "lycoris_unet_", "lycoris_", "base_model_model_",
    "model_diffusion_model_", "diffusion_model_", "pipe_dit_", "transformer_2_", "transformer_", "model_", "dit_",
  ]

  /// The modules of what a network demands: every tensor without its last part, and modulations.
  init(_ demand: Demand) {
    for request in demand.requests {
      let module = request.name.split(separator: ".").dropLast().joined(separator: ".")
      for name in [module, Self.diffusers(module)] { modules[Self.flat(name)] = module }
    }
  }

  /// The network's module; `nil` where it has none of this name.
  func callAsFunction(_ name: String) -> String? {
    var name = Self.flat(name)
    // PEFT wraps names that have prefixes already.
    for _ in 0..<3 {
      if let module = modules[name] { return module }
      guard let prefix = Self.prefixes.first(where: name.hasPrefix) else { return nil }
      name.removeFirst(prefix.count)
    }
    return modules[name]
  }

  /// Parts of Wan2.1's image to video that Wan2.2 has not, which its adapters change too.
  static func isOfImageBranch(_ name: String) -> Bool {
    ["k_img", "v_img", "norm_k_img", "img_emb", "add_k_proj", "add_v_proj", "norm_added_k", "image_embedder"].contains {
      flat(name).contains($0)
    }
  }

  static func flat(_ name: String) -> String {
    String(name.map { $0 == "." ? "_" : $0 })
  }

  /// diffusers' name of a module.
  private static func diffusers(_ module: String) -> String {
    OfficialNames.diffusersModules[module]
      ?? {
        let parts = module.split(separator: ".", maxSplits: 2).map(String.init)
        guard parts.count == 3, parts[0] == "blocks", let inner = OfficialNames.diffusersLayers[parts[2]] else {
          return module
        }
        return "blocks.\(parts[1]).\(inner)"
      }()
  }
}
