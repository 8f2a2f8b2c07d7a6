import Foundation
import TestSupport
import Testing
import WanKit

/// What inspecting says of single files, from their headers.
struct InspectedFilesTests {
  private func report(_ file: String) throws -> Inspection {
    try Inspection(path: Golden.bundledFolder + "/formats/" + file)
  }

  @Test(
    "a LoRA's file tells its kind, expert, modules, rank and scale",
    arguments: [
      ("lora/kohya/style_high_noise.safetensors", "LoRA, for the high-noise expert", "20 modules, rank 4, scale 0.5"),
      ("lora/diffusers/both.safetensors", "LoRA, for both experts", "40 modules, rank 4, scale 1.0"),
      ("lora/peft/low/adapter_model.safetensors", "LoRA, for the low-noise expert", "scale 0.5, for a model of dim 64"),
      ("lora/lokr/style_high_noise.safetensors", "LoKr, for the high-noise expert", "20 modules"),
      ("lora/loha/style_high_noise.safetensors", "LoHa, ", "20 modules"),
      ("lora/dora/style_high_noise.safetensors", "DoRA, ", "20 modules, rank 4"),
    ])
  func adapters(file: String, role: String, sizes: String) throws {
    let report = try report(file)
    let network = try #require(report.networks.first)
    #expect(report.isComplete && network.role.hasPrefix(role), "\(network.role)")
    #expect(network.description.contains(sizes), "\(network.description)")
    #expect(report.usage?.hasPrefix("wan generate --lora ") == true)
  }

  @Test("a LoRA of another model is told")
  func otherModel() throws {
    #expect(try report("lora/refused/other_model.safetensors").networks[0].problems[0].contains("another model"))
  }

  @Test("a transformer's file tells model and expert, and its types by their parts of all parameters")
  func transformers() throws {
    let mixed = try report("comfy/diffusion_models/wan2.2_t2v_high_noise_14B_mixed_mxfp8_nvfp4.safetensors")
    let network = mixed.networks[0]
    #expect(network.role == "transformer, the high-noise expert of t2v-a14b by channels and name")
    #expect(network.types == ["BF16", "INT8", "MXFP8", "NVFP4"] && mixed.isComplete)
    #expect(abs(network.shares.values.reduce(0, +) - 1) < 1e-9 && network.parameters == 159_552)
    #expect(mixed.usage?.contains("--high-noise") == true && mixed.usage?.contains("--low-noise FILE") == true)
    let low = try report("gguf/Wan2.2-T2V-A14B-LowNoise-Q4_0.gguf")
    #expect(low.networks[0].role.contains("low-noise expert of t2v-a14b") && low.isComplete)
  }

  @Test("autoencoders and text encoders name the option that takes them")
  func others() throws {
    #expect(try report("comfy/vae/wan_2.1_vae.safetensors").usage?.hasPrefix("wan generate --vae ") == true)
    #expect(try report("gguf/umt5-xxl-encoder-Q8_0.gguf").usage?.hasPrefix("wan generate --text-encoder ") == true)
  }

  @Test("the recipe that a name tells is said, of files, LoRAs and folders")
  func recipes() throws {
    #expect(
      try report("lora/lightx2v/Wan2.2-T2V-A14B-4steps-lora-rank4-Seko-V1.1/high_noise_model.safetensors").recipe
        == "lightx2v")
    #expect(
      try report("comfy/diffusion_models/wan2.2_t2v_A14b_low_noise_int8_lightx2v_4step.safetensors").recipe
        == "lightx2v")
    #expect(try report("comfy/diffusion_models/wan2.2_t2v_high_noise_14B_bf16.safetensors").recipe == nil)
    let copy = try ModelCopy(of: "ti2v")
    try copy.write(#"{"recipe": "fastwan"}"#, to: "generation_config.json")
    #expect(try Inspection(path: copy.path).recipe == "fastwan")
  }

  @Test("what a file needs beside it is named, unless it lies there or in the folders that are searched")
  func needs() throws {
    let folder = try TemporaryFolder()
    let formats = Golden.bundledFolder + "/formats/"
    func link(_ file: String, as name: String) throws -> String {
      try FileManager.default.createSymbolicLink(atPath: folder.path(name), withDestinationPath: formats + file)
      return folder.path(name)
    }
    let high = try link(
      "comfy/diffusion_models/wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors", as: "a_high.safetensors")
    let lone = try Inspection(path: high)
    #expect(
      lone.missing == [
        "the low-noise expert", "an autoencoder (Wan2.1_VAE)", "a text encoder (UMT5-XXL)",
        "a tokenizer (tokenizer.json or spiece.model)",
      ])
    #expect(lone.usage?.contains("--low-noise FILE --vae FILE --text-encoder FILE --tokenizer FILE") == true)
    #expect(lone.isComplete)
    let searched = try Inspection(path: high, searched: [formats + "comfy/vae"])
    #expect(searched.missing.count == 3 && !searched.missing.contains { $0.contains("autoencoder") })

    _ = try link("comfy/vae/wan_2.1_vae.safetensors", as: "vae.safetensors")
    _ = try link("comfy/diffusion_models/wan2.2_t2v_low_noise_14B_fp8_e4m3fn.safetensors", as: "a_low.safetensors")
    let encoder = try link("comfy/text_encoders/umt5-xxl-enc-fp8_e4m3fn.safetensors", as: "encoder.safetensors")
    #expect(try Inspection(path: high).missing == ["a tokenizer (tokenizer.json or spiece.model)"])
    let bare = try Inspection(path: encoder)
    #expect(bare.missing.count == 1 && bare.usage?.contains("--tokenizer FILE") == true)
    #expect(try report("gguf/umt5-xxl-encoder-Q8_0.gguf").missing.isEmpty)
  }
}
