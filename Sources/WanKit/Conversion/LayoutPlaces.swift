import Layers
import Sampling
import WanModels

/// Where the files of a model lie in a layout, and which texts lie beside them.
struct LayoutPlaces {
  private let layout: StorageLayout
  private let model: ConvertedModel
  private let format: StorageFormat

  init(_ layout: StorageLayout, _ model: ConvertedModel, _ format: StorageFormat) {
    (self.layout, self.model, self.format) = (layout, model, format)
  }

  private static let weights = "diffusion_pytorch_model.safetensors"

  func transformer(_ expert: Expert) -> String {
    switch layout {
    case .official, .diffusers: return folder(expert) + Self.weights
    case .comfy:
      let noise = expert == .only ? "" : "_\(expert.rawValue)_noise"
      return "diffusion_models/wan2.2_\(kind)\(noise)_\(size)_\(suffix).safetensors"
    case .gguf:
      let noise = expert == .only ? "" : expert == .high ? "-HighNoise" : "-LowNoise"
      return "diffusion_models/Wan2.2-\(kind.uppercased())-\(size == "5B" ? "5B" : "A14B")\(noise)-\(typeName).gguf"
    }
  }

  /// The configuration beside a transformer.
  func beside(_ expert: Expert) -> String {
    switch layout {
    case .official, .diffusers: folder(expert) + "config.json"
    case .comfy, .gguf: "diffusion_models/config.json"
    }
  }

  /// Its text; `nil` where tensors tell it all. Single files of other head widths than the published need it.
  func configuration(of c: TransformerConfiguration) -> [UInt8]? {
    switch layout {
    case .diffusers: return PartConfigurations.diffusers(c)
    case .official: return PartConfigurations.official(c, modelType: model.family.modelType)
    case .comfy, .gguf:
      let isPublished =
        c.headDimension == 128 && c.textLength == PartConfigurations.publishedTextLength && c.epsilon == 1e-6
      return isPublished ? nil : PartConfigurations.official(c, modelType: model.family.modelType)
    }
  }

  var autoencoder: String {
    let name = model.family.autoencoderNames[0]
    return switch layout {
    case .official: name + ".safetensors"
    case .diffusers: "vae/" + Self.weights
    case .comfy, .gguf: name == "Wan2.1_VAE" ? "vae/wan_2.1_vae.safetensors" : "vae/wan2.2_vae.safetensors"
    }
  }

  var textEncoder: String {
    switch layout {
    case .official: "models_t5_umt5-xxl-enc-bf16.safetensors"
    case .diffusers: "text_encoder/model.safetensors"
    case .comfy: "text_encoders/umt5_xxl_\(suffix).safetensors"
    case .gguf: "text_encoders/umt5-xxl-encoder-\(typeName).gguf"
    }
  }

  /// The tokenizer's folder, with the slash.
  var tokenizer: String { layout == .official ? "google/umt5-xxl/" : "tokenizer/" }

  /// What diffusers has beside all that.
  var others: [(name: String, bytes: [UInt8])] {
    guard layout == .diffusers else { return [] }
    return [
      ("model_index.json", PartConfigurations.index(of: model)),
      ("scheduler/scheduler_config.json", PartConfigurations.scheduler(of: model)),
      ("vae/config.json", PartConfigurations.diffusers(model.autoencoder.configuration)),
      ("text_encoder/config.json", PartConfigurations.transformers(model.textEncoder.configuration)),
    ]
  }

  private func folder(_ expert: Expert) -> String {
    switch (layout, expert) {
    case (.diffusers, .low): "transformer_2/"
    case (.diffusers, _): "transformer/"
    case (_, .high): "high_noise_model/"
    case (_, .low): "low_noise_model/"
    case (_, .only): ""
    }
  }

  /// "t2v"
  private var kind: String { model.family.modelType }
  private var size: String { model.family.hasTwoExperts ? "14B" : "5B" }
  private var suffix: String { format == .fp8 ? "fp8_scaled" : format.rawValue }
  private var typeName: String {
    switch format {
    case .fp32: "F32"
    case .fp16: "F16"
    case .bf16: "BF16"
    default: format.rawValue.uppercased()
    }
  }
}

extension StorageLayout {
  /// The layout of a single file in safetensors, by whose names it has.
  init(_ dialect: TensorNaming.Dialect) {
    self = dialect == .diffusers ? .diffusers : .comfy
  }

  /// The layout of a model's folder.
  init(folder path: String) throws(ModelError) {
    guard FolderListing.isFolder(path) else {
      self = .comfy
      return
    }
    let listing = try FolderListing(path)
    self = DiffusersLayout.isOne(listing) ? .diffusers : OfficialLayout.isOne(listing) ? .official : .comfy
  }
}
